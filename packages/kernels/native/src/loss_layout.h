// The numbers that reweighted_loss reports, in the order in which every device writes them. This is the only place in C++ that says so; `armseg::loss_layout` returns the names,
// and packages/kernels/src/loss-report.ts reads by them. No header is needed: NVRTC reads this file as text.
#pragma once

namespace armseg {

// Elements of `statistics`: sums over the kept pixels, the first over the valid ones.
#define ARMSEG_LOSS_SUMS(entry)                                          \
  entry(kValid, "valid_pixels")                                          \
  entry(kKept, "kept_pixels")                                            \
  entry(kWeight, "weight_sum")               /* w = W(u) */              \
  entry(kWeightPower, "weight_power_sum")    /* w^p */                   \
  entry(kWeightedLoss, "weighted_loss_sum")  /* w l */                   \
  entry(kLoss, "loss_sum")                   /* l */                     \
  entry(kMultiplier, "pixel_weight_sum")     /* class x pixel weight */  \
  entry(kConfidence, "confidence_sum")       /* u */                     \
  entry(kLikelihood, "likelihood_sum")       /* p_y */                   \
  entry(kWeightSquare, "weight_square_sum")  /* w^2 */

// Rows of `bins`: sums at each knot of the curve, every pixel shared between its two neighbours.
#define ARMSEG_BIN_SUMS(entry)                                \
  entry(kBinCount, "count")                                   \
  entry(kBinWeight, "weight_sum")       /* w */               \
  entry(kBinLoss, "loss_sum")           /* l */               \
  entry(kBinPower, "weight_power_sum")  /* w^(p - 1) */

#define ARMSEG_PLACE(place, name) place,
enum LossSum { ARMSEG_LOSS_SUMS(ARMSEG_PLACE) kLossSums };
enum BinSum { ARMSEG_BIN_SUMS(ARMSEG_PLACE) kBinSums };
#undef ARMSEG_PLACE

}  // namespace armseg
