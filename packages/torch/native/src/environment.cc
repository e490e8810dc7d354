#include "environment.h"

#include <cstdlib>
#include <stdexcept>

namespace armseg {

namespace {

constexpr uint64_t kSlotBits = 26;
constexpr uint64_t kSlotMask = (uint64_t{1} << kSlotBits) - 1;
// Node-API asks V8 about the heap at each report, so small changes are gathered first.
constexpr int64_t kReportBytes = int64_t{1} << 20;

}  // namespace

void ReleaseQueue::push(napi_ref reference) {
  const std::lock_guard<std::mutex> lock(mutex_);
  references_.push_back(reference);
  waiting_ = true;
}

void ReleaseQueue::drain(napi_env env) {
  if (!waiting_.load(std::memory_order_relaxed)) return;
  const std::lock_guard<std::mutex> lock(mutex_);
  for (napi_ref reference : references_) napi_delete_reference(env, reference);
  references_.clear();
  waiting_ = false;
}

Environment::~Environment() {
  // Guards restore what was set before them, so they go in the reverse order of their creation.
  while (!inferenceModes.empty()) inferenceModes.pop_back();
  while (!gradModes.empty()) gradModes.pop_back();
}

double Environment::add(at::Tensor tensor) {
  releases->drain(env_);
  uint32_t index;
  if (free_.empty()) {
    index = static_cast<uint32_t>(slots_.size());
    if (index > kSlotMask) throw std::runtime_error("more than 67 million tensors are alive at once");
    slots_.emplace_back();
  } else {
    index = free_.back();
    free_.pop_back();
  }
  Slot& slot = slots_[index];
  slot.tensor = std::move(tensor);
  countStorage(slot);
  return static_cast<double>((uint64_t{slot.generation} << kSlotBits) | index);
}

Environment::Slot* Environment::find(double handle) {
  if (!(handle >= 0 && handle < 9007199254740992.0)) return nullptr;
  const auto bits = static_cast<uint64_t>(handle);
  const uint64_t index = bits & kSlotMask;
  if (index >= slots_.size()) return nullptr;
  Slot& slot = slots_[index];
  return slot.generation == (bits >> kSlotBits) && slot.tensor.defined() ? &slot : nullptr;
}

at::Tensor& Environment::get(double handle) {
  Slot* slot = find(handle);
  if (slot == nullptr) throw std::runtime_error("the handle does not name a live tensor of this thread");
  return slot->tensor;
}

bool Environment::release(double handle) {
  Slot* slot = find(handle);
  if (slot == nullptr) return false;
  discountStorage(*slot);
  slot->tensor = at::Tensor();
  slot->generation = (slot->generation + 1) & ((uint32_t{1} << 26) - 1);
  free_.push_back(static_cast<uint32_t>(slot - slots_.data()));
  return true;
}

void Environment::countStorage(Slot& slot) {
  slot.storage = slot.tensor.has_storage() ? slot.tensor.storage().unsafeGetStorageImpl() : nullptr;
  if (slot.storage == nullptr) return;
  auto [entry, isNew] = storages_.emplace(slot.storage, StorageUse{0, 0, false});
  entry->second.handles += 1;
  if (!isNew) return;
  entry->second.bytes = static_cast<int64_t>(slot.tensor.storage().nbytes());
  entry->second.onHost = slot.tensor.device().is_cpu();
  bytes_ += entry->second.bytes;
  if (entry->second.onHost) reportExternalMemory(entry->second.bytes);
}

void Environment::discountStorage(Slot& slot) {
  if (slot.storage == nullptr) return;
  const auto entry = storages_.find(slot.storage);
  slot.storage = nullptr;
  if (--entry->second.handles > 0) return;
  bytes_ -= entry->second.bytes;
  // Device memory is not on the host's heap: reporting it would cause useless collections.
  if (entry->second.onHost) reportExternalMemory(-entry->second.bytes);
  storages_.erase(entry);
}

void Environment::reportExternalMemory(int64_t change) {
  unreported_ += change;
  if (std::llabs(unreported_) < kReportBytes) return;
  int64_t total;
  napi_adjust_external_memory(env_, unreported_, &total);
  unreported_ = 0;
}

Operator& Environment::findOperator(const std::string& name, const std::string& overload) {
  std::unique_ptr<Operator>& entry = operators_[name + "." + overload];
  if (!entry) {
    const auto handle = c10::Dispatcher::singleton().findSchema({name, overload});
    if (!handle) {
      throw std::runtime_error("libtorch has no operator " + name + (overload.empty() ? "" : "." + overload));
    }
    entry = std::make_unique<Operator>(*handle, *this);
  }
  return *entry;
}

}  // namespace armseg
