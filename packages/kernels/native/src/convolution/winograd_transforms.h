// The transforms of one instruction set, for its table of passes.
#pragma once
#include "winograd.h"

namespace armseg {
namespace ARMSEG_ISA {

void winograd_input_values(const TileGrid&, const float* map, Range tiles, const PointValues&);
void winograd_output_gradient_values(const TileGrid&, const float* map, Range tiles, const PointValues&);
void winograd_output_pixels(const TileGrid&, const PointValues&, Range tiles, float* map);
void winograd_kernel_values(int64_t side, const Kernels&, Range blocks, const KernelValues&);
void winograd_kernel_gradients(int64_t side, const KernelValues&, Range blocks, const Kernels&);

}  // namespace ARMSEG_ISA
}  // namespace armseg
