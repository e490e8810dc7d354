#include "binding.h"

#include "environment.h"

namespace {

Napi::Object initialise(Napi::Env env, Napi::Object exports) {
  env.SetInstanceData(new armseg::Environment(env));
  armseg::exportCalls(env, exports);
  armseg::exportTensors(env, exports);
  armseg::exportAutograd(env, exports);
  armseg::exportRuntime(env, exports);
#ifdef ARMSEG_HAS_C10D
  armseg::exportDistributed(env, exports);
#endif
  return exports;
}

}  // namespace

NODE_API_MODULE(armseg_torch, initialise)
