#include "binding.h"

#include "environment.h"

namespace {

Napi::Object initialise(Napi::Env env, Napi::Object exports) {
  env.SetInstanceData(new armseg::Environment(env));
  armseg::exportCalls(exports);
  armseg::exportTensors(exports);
  armseg::exportAutograd(exports);
  armseg::exportRuntime(exports);
#ifdef ARMSEG_HAS_C10D
  armseg::exportDistributed(exports);
#endif
  return exports;
}

}  // namespace

NODE_API_MODULE(armseg_torch, initialise)
