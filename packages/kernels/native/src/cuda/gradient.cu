// The finished gradient: what up to two rows of blocks and the neighbouring columns of blocks left for a source row and
// column, added in a fixed order and scaled.

__device__ inline float partial_of(const GradientArguments& a, int image, int row_tile, int row, int column_tile, int k, int plane) {
  const Tiling& tiling = a.tiling;
  const long long block = ((long long)image * tiling.row_tiles + row_tile) * tiling.column_tiles + column_tile;
  return a.partials[((block * (tiling.intervals + 1) + row) * tiling.span + k) * a.planes + plane];
}

__device__ inline float gradient_at(const GradientArguments& a, int image, int y, int x, int plane) {
  const Tiling& tiling = a.tiling;
  const int source = a.shape.source_width, target = a.shape.width;
  const int from = first_from(x - 1, source, target), to = first_from(x + 1, source, target);  // output columns that touch x
  const int tile = y / tiling.intervals, row = y % tiling.intervals;
  float sum = 0.f;
  for (int j = from / tiling.columns; from < to && j <= (to - 1) / tiling.columns; ++j) {
    const int k = x - sample_exactly(j * tiling.columns, source, target).low;
    if (k < 0 || k >= tiling.span) continue;
    if (row == 0 && tile > 0) sum += partial_of(a, image, tile - 1, tiling.intervals, j, k, plane);
    sum += partial_of(a, image, tile, row, j, k, plane);
  }
  return sum;
}

// A block takes kGradientColumns columns of one source row, all planes; neighbouring threads write neighbouring numbers.
extern "C" __global__ void __launch_bounds__(256) armseg_gradient(GradientArguments a) {
  const int chunks = (a.shape.source_width + kGradientColumns - 1) / kGradientColumns;
  const int x0 = blockIdx.x % chunks * kGradientColumns, y = blockIdx.x / chunks % a.shape.source_height, image = blockIdx.x / chunks / a.shape.source_height;
  const int columns = min(kGradientColumns, a.shape.source_width - x0);
  const float factor = a.state->factor;
  const bool planes_first = a.plane < a.column;
  for (int item = threadIdx.x; item < columns * a.planes; item += blockDim.x) {
    const int plane = planes_first ? item % a.planes : item / columns;
    const int x = x0 + (planes_first ? item / a.planes : item % columns);
    const float value = factor == 0.f ? 0.f : gradient_at(a, image, y, x, plane) * factor;
    if (plane < a.shape.classes) a.logits[image * a.image + plane * a.plane + y * a.row + x * a.column] = value;
    else a.log_scale[image * a.log_scale_image + y * a.log_scale_row + x * a.log_scale_column] = value;
  }
}
