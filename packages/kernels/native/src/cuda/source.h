// The text of the kernels, one translation unit, put into the library by CMake.
#pragma once

namespace armseg {
namespace cuda {

extern const char* const kSource;

}  // namespace cuda
}  // namespace armseg
