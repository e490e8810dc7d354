// What one Node environment (the main thread or a worker) owns: the table of tensors that JavaScript holds, the
// operators it has looked up, the scopes it has entered. Nothing in the binding is global.
#pragma once

#include <ATen/ATen.h>
#include <ATen/core/grad_mode.h>
#include <c10/core/InferenceMode.h>
#include <c10/util/flat_hash_map.h>
#include <napi.h>

#include <atomic>
#include <memory>
#include <mutex>
#include <string>
#include <unordered_map>
#include <vector>

#include "convert.h"

namespace armseg {

/// References to ArrayBuffers whose tensors have died. The last owner of a tensor may be a thread of the autograd
/// engine, and only the JavaScript thread may let go of a reference.
class ReleaseQueue {
 public:
  void push(napi_ref reference);
  /// Called on the JavaScript thread.
  void drain(napi_env env);

 private:
  std::atomic<bool> waiting_{false};
  std::mutex mutex_;
  std::vector<napi_ref> references_;
};

class Environment {
 public:
  explicit Environment(napi_env env) : env_(env) {}
  ~Environment();
  Environment(const Environment&) = delete;

  static Environment& of(Napi::Env env) { return *env.GetInstanceData<Environment>(); }

  /// Puts a tensor into the table. The handle is `generation * 2^26 + slot`, so that a handle that was released is
  /// never mistaken for the tensor that took its slot.
  double add(at::Tensor tensor);
  /// Throws if the handle was released.
  at::Tensor& get(double handle);
  /// Returns false if the handle had been released before.
  bool release(double handle);

  size_t tensorCount() const { return slots_.size() - free_.size(); }
  /// Bytes of the distinct storages that live handles refer to, on all devices.
  int64_t storageBytes() const { return bytes_; }

  Operator& findOperator(const std::string& name, const std::string& overload);

  std::vector<std::unique_ptr<at::AutoGradMode>> gradModes;
  std::vector<std::unique_ptr<c10::InferenceMode>> inferenceModes;
  const std::shared_ptr<ReleaseQueue> releases = std::make_shared<ReleaseQueue>();

 private:
  struct Slot {
    at::Tensor tensor;
    c10::StorageImpl* storage = nullptr;
    uint32_t generation = 0;
  };
  struct StorageUse {
    int64_t handles;
    int64_t bytes;
    bool onHost;
  };

  Slot* find(double handle);
  void countStorage(Slot& slot);
  void discountStorage(Slot& slot);
  void reportExternalMemory(int64_t change);

  napi_env env_;
  std::vector<Slot> slots_;
  std::vector<uint32_t> free_;
  ska::flat_hash_map<c10::StorageImpl*, StorageUse> storages_;
  int64_t bytes_ = 0;
  int64_t unreported_ = 0;
  std::unordered_map<std::string, std::unique_ptr<Operator>> operators_;
};

}  // namespace armseg
