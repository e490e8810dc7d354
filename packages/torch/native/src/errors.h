// What libtorch says when something is wrong, for people.
#pragma once

#include <c10/util/Exception.h>

#include <string>

namespace armseg {

/// The message without its backtrace; where CUDA is asked of a libtorch without it, in plain words.
std::string explain(const c10::Error& error);

}  // namespace armseg
