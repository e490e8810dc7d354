// Chooses the version of the passes that this processor runs.
#include <cstdlib>
#include <cstring>

#include "convolution/depthwise.h"
#include "convolution/winograd.h"
#include "pixel_pass.h"

namespace armseg {

#define ARMSEG_DECLARE(isa)                                                                         \
  namespace isa {                                                                                   \
  void pixel_pass(const PixelPass&, const Block&, float* scratch, Outcome&);                        \
  void label_map(const LabelMapPass&, const Block&, float* scratch, uint8_t* map, int64_t map_row); \
  extern const WinogradPasses winograd_passes;                                                      \
  extern const DepthwisePasses depthwise_passes;                                                    \
  }

ARMSEG_DECLARE(baseline)
#if defined(__x86_64__)
ARMSEG_DECLARE(avx2)
ARMSEG_DECLARE(avx512)
#endif

namespace {

// Levels from the slowest, so that a name can be compared by position.
const Processor kVersions[] = {
    {"baseline", 4, baseline::pixel_pass, baseline::label_map, &baseline::winograd_passes, &baseline::depthwise_passes},
#if defined(__x86_64__)
    {"avx2", 8, avx2::pixel_pass, avx2::label_map, &avx2::winograd_passes, &avx2::depthwise_passes},
    {"avx512", 16, avx512::pixel_pass, avx512::label_map, &avx512::winograd_passes, &avx512::depthwise_passes},
#endif
};

int supported_level() {
#if defined(__x86_64__)
  __builtin_cpu_init();
  const bool avx2 = __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma") && __builtin_cpu_supports("bmi2");
  const bool avx512 = avx2 && __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512vl") &&
                      __builtin_cpu_supports("avx512bw") && __builtin_cpu_supports("avx512dq");
  return avx512 ? 2 : avx2 ? 1 : 0;
#else
  return 0;
#endif
}

const Processor& choose() {
  int level = supported_level();
  if (const char* wanted = std::getenv("ARMSEG_CPU_CAPABILITY"))
    for (int i = 0; i < level; ++i)
      if (std::strcmp(wanted, kVersions[i].name) == 0) level = i;
  return kVersions[level];
}

}  // namespace

const Processor& processor() {
  static const Processor& chosen = choose();
  return chosen;
}

}  // namespace armseg
