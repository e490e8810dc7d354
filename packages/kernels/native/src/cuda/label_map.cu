// Arg-max of upsampled logits, and the confusion matrix, without logits of full resolution. Ties fall to the lowest class.

__device__ inline void load_map_row(const LabelMapArguments& a, int image, int row, Sample column, int& loaded, float* rows) {
  if (row <= loaded) return;  // the sweep only goes down
  loaded = row;
  const int slot = row & 1, stride = blockDim.x;
  const int wrong = upsample_planes(a.logits, image * a.logits.image + row * a.logits.row, column, kLog2e, 0, 1, a.shape.classes,
                                    rows + slot * a.shape.classes * stride + threadIdx.x, stride);
  if (wrong >= 0) note_first(&a.state->not_finite, ((long long)image * a.shape.classes + wrong) * a.shape.source_height + row);
}

__device__ inline int best_class(const LabelMapArguments& a, Sample row, const float* rows) {
  const int stride = blockDim.x, size = a.shape.classes * stride;
  const float *top = rows + (row.low & 1) * size + threadIdx.x, *bottom = rows + (row.high & 1) * size + threadIdx.x;
  float best = 0.f;
  int winner = -1;
#pragma unroll 4
  for (int c = 0; c < a.shape.classes; ++c) {
    const float here = top[c * stride], logit = fmaf(bottom[c * stride] - here, row.fraction, here);
    if (winner < 0 || logit > best) {
      winner = c;
      best = logit;
    }
  }
  return winner;
}

// Pixels of one label and prediction that follow each other count at once.
struct Streak {
  int pair, length;
};

__device__ inline void count(const LabelMapArguments& a, unsigned* shared, const Streak& streak) {
  if (streak.length == 0) return;
  if (a.in_shared) atomicAdd(shared + streak.pair, (unsigned)streak.length);
  else atomicAdd(a.matrix + streak.pair, (unsigned long long)streak.length);
}

__device__ inline void count_pixel(const LabelMapArguments& a, unsigned* shared, long long pixel, int prediction, Streak& streak) {
  const int label = read_label(a.labels8, a.labels64, pixel, a.ignore_index, a.shape.classes);
  if (label == -2) note_first(&a.state->bad_label, pixel);
  if (label < 0) return;
  const int pair = label * a.shape.classes + prediction;
  if (pair != streak.pair) {
    count(a, shared, streak);
    streak = Streak{pair, 0};
  }
  ++streak.length;
}

// One column of the block's output rows.
__device__ inline void map_column(const LabelMapArguments& a, int image, int first, int x, float* rows, unsigned* shared) {
  const Shape& shape = a.shape;
  const Sample column = sample_as_aten(x, shape.source_width, shape.width);
  int loaded = -1;
  Streak streak = {-1, 0};
  for (int y = first; y < min(first + a.tiling.intervals, shape.height); ++y) {
    const Sample row = sample_as_aten(y, shape.source_height, shape.height);
    load_map_row(a, image, row.low, column, loaded, rows);
    load_map_row(a, image, row.high, column, loaded, rows);
    const int prediction = best_class(a, row, rows);
    const long long pixel = ((long long)image * shape.height + y) * shape.width + x;
    if (a.map) a.map[pixel] = (unsigned char)prediction;
    if (a.matrix) count_pixel(a, shared, pixel, prediction, streak);
  }
  if (a.matrix) count(a, shared, streak);
}

extern "C" __global__ void __launch_bounds__(128) armseg_label_map(LabelMapArguments a) {
  const int pairs = a.in_shared ? a.shape.classes * a.shape.classes : 0;
  float* rows = (float*)memory;
  unsigned* shared = (unsigned*)(rows + 2 * a.shape.classes * blockDim.x);
  for (int i = threadIdx.x; i < pairs; i += blockDim.x) shared[i] = 0;
  __syncthreads();
  const int x = blockIdx.x % a.tiling.column_tiles * a.tiling.columns + threadIdx.x;
  const int first = blockIdx.x / a.tiling.column_tiles % a.tiling.row_tiles * a.tiling.intervals;
  const int image = blockIdx.x / a.tiling.column_tiles / a.tiling.row_tiles;
  if (x < a.shape.width) map_column(a, image, first, x, rows, shared);
  __syncthreads();
  for (int i = threadIdx.x; i < pairs; i += blockDim.x)
    if (shared[i]) atomicAdd(a.matrix + i, (unsigned long long)shared[i]);
}
