// What happens at a pixel once the softmax is known: the scalar twin of pixel_loss.h. Logits are in base 2 and relative
// to the largest, so that exp2 of them is meant by "exp".

enum { kVar, kStd, kLogVar, kEntropy, kKlIndicator };  // Indicator of pixel_pass.h
enum { kCe, kGce, kFocal, kKl };                       // Loss

struct Softmax {
  float label_logit, label_exp;
  float others;  // sum of exp over the classes but the label's: 1 - p_y without cancellation
  float total, inverse;
  float square;  // sum of exp^2 (var) or of (p - 1/C)^2 (std, logVar)
  float moment;  // sum of exp * logit (entropy)
  float log_scale;
};

struct PixelLoss {
  float value;
  float slope;  // -d value / d ln p_y
  float log_scale_slope;
};

__device__ inline float ln(float x) { return log2f(x) * kLn2; }
__device__ inline float power(float x, float y) { return x > 0.f ? exp2f(log2f(x) * y) : 0.f; }

// -ln(1 - x), x in [0, 1/2], accurate however small x is: by the series of 2 artanh(f / (2 + f)).
__device__ inline float ln_of_rest(float x) {
  const bool upper = x > 0.29289322f;
  const float f = upper ? 1.f - (x + x) : -x, s = __fdividef(f, f + 2.f), z = s * s;
  float p = fmaf(z, 2.f / 9, 2.f / 7);
  p = fmaf(p, z, 2.f / 5);
  p = fmaf(p, z, 2.f / 3);
  p = fmaf(p, z, 2.f);
  return (upper ? kLn2 : 0.f) - p * s;
}

// 1 - e^-x, x >= 0, without cancellation near 0.
__device__ inline float one_minus_exp(float x) {
  float p = fmaf(x, -1.f / 720, 1.f / 120);
  p = fmaf(-x, p, 1.f / 24);
  p = fmaf(-x, p, 1.f / 6);
  p = fmaf(-x, p, 0.5f);
  p = fmaf(-x, p, 1.f);
  return x < 0.25f ? p * x : 1.f - exp2f(-x * kLog2e);
}

__device__ inline float confidence_of(const PixelArguments& a, const Softmax& s) {
  const float spread = s.square * a.most_variance;  // std, logVar
  float u;
  if (a.indicator == kVar) u = (s.square * s.inverse * s.inverse * (float)a.shape.classes - 1.f) * a.variance_scale - 1.f;
  else if (a.indicator == kStd) u = (spread > 0.f ? spread * rsqrtf(spread) : 0.f) * 2.f - 1.f;
  else if (a.indicator == kLogVar) u = ln(fmaxf(spread, 1e-4f)) * (2.f / 9.21034037f) + 1.f;  // ln(1e4)
  else if (a.indicator == kEntropy) u = 1.f - (ln(s.total) - s.moment * s.inverse * kLn2) * a.entropy_scale;
  else {
    const float scale = exp2f(fminf(s.log_scale, 60.f) * kLog2e);
    u = __fdividef(1.f - scale, 1.f + scale);
  }
  return fmaxf(fminf(u, 1.f), -1.f);
}

// -ln p_y, accurate however close p_y is to 1 or to 0.
__device__ inline float cross_entropy_of(const Softmax& s) {
  return s.others < s.label_exp ? ln_of_rest(s.others * s.inverse) : ln(s.total) - s.label_logit * kLn2;
}

__device__ inline PixelLoss pixel_loss(const PixelArguments& a, const Softmax& s) {
  const float ce = cross_entropy_of(s), likelihood = s.label_exp * s.inverse;
  PixelLoss loss = {ce, 1.f, 0.f};
  if (a.loss == kGce) {
    loss.value = one_minus_exp(ce * a.q) * a.inverse_q;
    loss.slope = exp2f(-(ce * a.q) * kLog2e);
  } else if (a.loss == kFocal) {
    const float rest = s.others * s.inverse;
    const float once = a.gamma == 2.f ? rest : a.gamma == 1.f ? 1.f : a.gamma == 0.f ? 0.f : power(fmaxf(rest, 1e-30f), a.gamma - 1.f);
    const float factor = a.gamma == 0.f ? 1.f : once * rest;
    loss.value = factor * ce;
    loss.slope = factor + once * likelihood * ce * a.gamma;
  } else if (a.loss == kKl) {
    const float precision = exp2f(-s.log_scale * kLog2e);
    loss.value = ce * precision + s.log_scale * 0.5f;
    loss.slope = precision;
    loss.log_scale_slope = 0.5f - ce * precision;
  }
  return loss;
}

struct CurvePoint {
  int cell;
  float fraction;
};

__device__ inline CurvePoint place_on_curve(int cells, float confidence) {
  const float position = (confidence + 1.f) * (0.5f * (float)cells);
  CurvePoint point;
  point.cell = max(0, min((int)position, cells - 1));
  point.fraction = position - (float)point.cell;
  return point;
}

__device__ inline float interpolate(const float* table, CurvePoint point) {
  return fmaf(table[2 * point.cell + 1], point.fraction, table[2 * point.cell]);
}

__device__ inline float power_minus_one(float p, float weight) {
  if (p == 2.f) return weight;
  if (p == 1.f) return 1.f;
  if (p == 3.f) return weight * weight;
  return power(weight, p - 1.f);
}

// What a pixel adds to the gradient: d(objective)/dz_c = slope * (p_c - [c = label]), unscaled; 0 where not kept.
struct PixelSlopes {
  float logits, log_scale;
};

__device__ inline float multiplier_of(const PixelArguments& a, int label, long long pixel) {
  float multiplier = 1.f;
  if (a.class_weights) multiplier = a.class_weights[label];
  if (a.pixel_weights) multiplier *= a.pixel_weights[pixel];
  return multiplier;
}

// Adds one pixel, labelled or not (label < 0), to `sums`, and leaves its maps and its confidence if this thread is the
// one that `counts` it.
__device__ inline PixelSlopes evaluate_pixel(const PixelArguments& a, const Softmax& s, int label, long long pixel, bool counts, float (&sums)[kBlockTotals]) {
  const bool valid = label >= 0;
  const float likelihood = s.label_exp * s.inverse;
  const bool kept = valid && (!a.keep_below || likelihood < *a.keep_below);
  PixelLoss loss = pixel_loss(a, s);
  const float multiplier = valid ? multiplier_of(a, label, pixel) : 1.f;
  loss.value *= multiplier;
  const float checked = loss.value + s.total;
  if (counts && valid && !(checked - checked == 0.f)) note_first(&a.state->not_finite, pixel);

  float confidence = 0.f, weight = 1.f;
  if (a.table || a.confidence_map || a.statistics) confidence = confidence_of(a, s);
  if (a.table) weight = interpolate(a.table, place_on_curve(a.cells, confidence));
  if (counts && kept) {
    sums[kKept] += 1.f;
    sums[kWeight] += weight;
    sums[kWeightPower] += power_minus_one(a.p, weight) * weight;
    sums[kWeightedLoss] += weight * loss.value;
    sums[kLoss] += loss.value;
    sums[kMultiplier] += multiplier;
    sums[kConfidence] += confidence;
    sums[kLikelihood] += likelihood;
    sums[kWeightSquare] += weight * weight;
    sums[kLargestLoss] = fmaxf(sums[kLargestLoss], fabsf(loss.value));
  }
  if (counts) {
    if (valid) sums[kValid] += 1.f;
    if (a.confidences) a.confidences[pixel] = Confidence{kept ? confidence : kNotKept, loss.value};
    if (a.confidence_map) a.confidence_map[pixel] = confidence;
    if (a.loss_map) a.loss_map[pixel] = kept ? loss.value : 0.f;
    if (a.weight_map) a.weight_map[pixel] = kept ? weight : 0.f;
    if (a.likelihood_map) a.likelihood_map[pixel] = valid ? likelihood : 0.f;
  }
  const float scale = !kept ? 0.f : a.weighted_gradient ? weight * multiplier : multiplier;
  PixelSlopes slopes = {scale * loss.slope, scale * loss.log_scale_slope};
  if (!kept) slopes = PixelSlopes{0.f, 0.f};
  return slopes;
}
