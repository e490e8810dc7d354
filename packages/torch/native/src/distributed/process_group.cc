#include "process_group.h"

#include <ATen/Context.h>
#include <torch/csrc/distributed/c10d/PrefixStore.hpp>
#include <torch/csrc/distributed/c10d/TCPStore.hpp>

#ifdef USE_C10D_GLOO
#include <torch/csrc/distributed/c10d/ProcessGroupGloo.hpp>
#endif

namespace armseg::distributed {

namespace {

Store storeOf(const Rendezvous& where) {
  c10d::TCPStoreOptions options;
  options.port = where.port;
  const bool hasAgent = !where.agentPrefix.empty();
  options.isServer = where.rank == 0 && !hasAgent;
  options.numWorkers = where.worldSize;
  options.waitWorkers = !hasAgent;
  options.timeout = where.timeout;
  const Store store = c10::make_intrusive<c10d::TCPStore>(where.address, options);
  if (!hasAgent) return store;
  return c10::make_intrusive<c10d::PrefixStore>(where.agentPrefix, store);
}

#ifdef USE_C10D_GLOO

c10::intrusive_ptr<c10d::ProcessGroupGloo> makeGloo(const Store& store, const Rendezvous& where) {
  auto options = c10d::ProcessGroupGloo::Options::create();
  options->timeout = where.timeout;
  // A host whose own name does not resolve still reaches a master on the loopback.
  const bool isLocal = where.address == "127.0.0.1" || where.address == "localhost";
  options->devices.push_back(isLocal ? c10d::ProcessGroupGloo::createDeviceForHostname("127.0.0.1")
                                     : c10d::ProcessGroupGloo::createDefaultDevice());
  return c10::make_intrusive<c10d::ProcessGroupGloo>(store, where.rank, where.worldSize, options);
}

#endif

#ifdef USE_C10D_NCCL
bool hasGpu() { return at::globalContext().hasCUDA() && at::detail::getCUDAHooks().getNumGPUs() > 0; }
#endif

}  // namespace

std::vector<std::string> devices() {
  std::vector<std::string> names;
#ifdef USE_C10D_GLOO
  names.emplace_back("cpu");
#endif
#ifdef USE_C10D_NCCL
  if (hasGpu()) names.emplace_back("cuda");
#endif
  return names;
}

#if ARMSEG_TORCH_VERSION >= 20000

Group join(const Rendezvous& where) {
  const Store store = storeOf(where);
  auto group = c10::make_intrusive<c10d::ProcessGroup>(store, where.rank, where.worldSize);
#ifdef USE_C10D_GLOO
  const Store forGloo = c10::make_intrusive<c10d::PrefixStore>("gloo", store);
  group->setBackend(c10::kCPU, c10d::ProcessGroup::BackendType::GLOO, makeGloo(forGloo, where));
  group->setDefaultBackend(c10d::ProcessGroup::BackendType::GLOO);
#endif
#ifdef USE_C10D_NCCL
  if (hasGpu()) addNccl(*group, c10::make_intrusive<c10d::PrefixStore>("nccl", store), where);
#endif
  return group;
}

#elif defined(USE_C10D_GLOO)

Group join(const Rendezvous& where) { return makeGloo(storeOf(where), where); }

#else

Group join(const Rendezvous&) { TORCH_CHECK(false, "the native binding was built without Gloo; install libgloo-dev"); }

#endif

}  // namespace armseg::distributed
