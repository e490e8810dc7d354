// c10d from JavaScript: the processes of one training, and what they do together.
#pragma once

#include <ATen/ATen.h>
#include <napi.h>
#include <torch/csrc/distributed/c10d/ProcessGroup.hpp>
#include <torch/csrc/distributed/c10d/Store.hpp>

#include <chrono>
#include <string>
#include <vector>

namespace armseg::distributed {

using Group = c10::intrusive_ptr<c10d::ProcessGroup>;
using Store = c10::intrusive_ptr<c10d::Store>;

/// Where the processes of a group find each other, and which one this is.
struct Rendezvous {
  std::string address;
  uint16_t port;
  int rank;
  int worldSize;
  std::chrono::milliseconds timeout;
  /// Not empty where torchrun's agent has the store: the keys of this attempt begin with it.
  std::string agentPrefix;
};

/// The devices whose tensors a group can carry: "cpu" (Gloo), "cuda" (NCCL).
std::vector<std::string> devices();

/// Waits until all processes have arrived; throws after the timeout.
Group join(const Rendezvous& where);

#ifdef USE_C10D_NCCL
void addNccl(c10d::ProcessGroup& group, const Store& store, const Rendezvous& where);
#endif

/// The group behind the external value at `index`.
Group groupAt(const Napi::CallbackInfo& info, size_t index);

void exportReducer(Napi::Object exports);
void exportSyncBatchNorm(Napi::Object exports);

}  // namespace armseg::distributed
