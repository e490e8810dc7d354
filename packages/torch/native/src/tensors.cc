// Handles: what a tensor is, and its bytes in and out of ArrayBuffers.
#include <ATen/ATen.h>

#include <memory>
#include <stdexcept>

#include "binding.h"
#include "environment.h"
#include "export.h"

namespace armseg {

namespace {

at::Tensor& tensorAt(const Napi::CallbackInfo& info, size_t index) {
  return Environment::of(info.Env()).get(info[index].As<Napi::Number>().DoubleValue());
}

Napi::Value wrap(const Napi::CallbackInfo& info, at::Tensor tensor) {
  return Napi::Number::New(info.Env(), Environment::of(info.Env()).add(std::move(tensor)));
}

Napi::Value integers(Napi::Env env, at::IntArrayRef values) {
  Napi::Array result = Napi::Array::New(env, values.size());
  for (size_t i = 0; i < values.size(); ++i) result[static_cast<uint32_t>(i)] = static_cast<double>(values[i]);
  return result;
}

Napi::Value sizes(const Napi::CallbackInfo& info) { return integers(info.Env(), tensorAt(info, 0).sizes()); }
Napi::Value strides(const Napi::CallbackInfo& info) { return integers(info.Env(), tensorAt(info, 0).strides()); }

Napi::Value dtype(const Napi::CallbackInfo& info) {
  return Napi::String::New(info.Env(), dtypeName(tensorAt(info, 0).scalar_type()));
}

Napi::Value device(const Napi::CallbackInfo& info) {
  return Napi::String::New(info.Env(), tensorAt(info, 0).device().str());
}

Napi::Value isContiguous(const Napi::CallbackInfo& info) {
  const bool channelsLast = info[1].IsBoolean() && info[1].As<Napi::Boolean>();
  const auto format = channelsLast ? at::MemoryFormat::ChannelsLast : at::MemoryFormat::Contiguous;
  const at::Tensor& tensor = tensorAt(info, 0);
  return Napi::Boolean::New(info.Env(), (!channelsLast || tensor.dim() == 4) && tensor.is_contiguous(format));
}

/// Another handle on the same tensor.
Napi::Value alias(const Napi::CallbackInfo& info) { return wrap(info, tensorAt(info, 0)); }

Napi::Value release(const Napi::CallbackInfo& info) {
  const double handle = info[0].As<Napi::Number>().DoubleValue();
  return Napi::Boolean::New(info.Env(), Environment::of(info.Env()).release(handle));
}

void releaseAll(const Napi::CallbackInfo& info) {
  Environment& environment = Environment::of(info.Env());
  const Napi::Array handles = info[0].As<Napi::Array>();
  const uint32_t count = handles.Length();
  for (uint32_t i = 0; i < count; ++i) {
    environment.release(static_cast<Napi::Value>(handles[i]).As<Napi::Number>().DoubleValue());
  }
}

std::vector<int64_t> readShape(const Napi::Value& value) {
  const Napi::Array array = value.As<Napi::Array>();
  std::vector<int64_t> shape(array.Length());
  for (uint32_t i = 0; i < array.Length(); ++i) {
    shape[i] = static_cast<Napi::Value>(array[i]).As<Napi::Number>().Int64Value();
  }
  return shape;
}

/// fromView(typedArray, shape, dtype) -> a tensor on the array's own memory, which may be shared between threads.
Napi::Value fromView(const Napi::CallbackInfo& info) {
  const Napi::TypedArray view = info[0].As<Napi::TypedArray>();
  const std::vector<int64_t> shape = readShape(info[1]);
  const at::ScalarType type = parseDtype(info[2].As<Napi::String>());
  size_t bytes = c10::elementSize(type);
  for (const int64_t size : shape) bytes *= static_cast<size_t>(size);
  if (bytes != view.ByteLength()) {
    throw std::runtime_error("fromView(): the shape needs " + std::to_string(bytes) + " bytes, the array has " +
                             std::to_string(view.ByteLength()));
  }
  if (bytes == 0) return wrap(info, at::empty(shape, type));
  void* data = nullptr;
  napi_get_typedarray_info(info.Env(), view, nullptr, nullptr, &data, nullptr, nullptr);
  napi_ref reference;
  napi_create_reference(info.Env(), view, 1, &reference);
  auto deleter = [queue = Environment::of(info.Env()).releases, reference](void*) { queue->push(reference); };
  return wrap(info, at::from_blob(data, shape, deleter, at::TensorOptions(type)));
}

at::Tensor hostTensor(const at::Tensor& tensor, const char* caller) {
  if (!tensor.device().is_cpu() || !tensor.is_contiguous()) {
    throw std::runtime_error(std::string(caller) + "(): expected a contiguous tensor on the CPU, got " +
                             describeTensor(tensor) + "; call .cpu().contiguous() first");
  }
  return tensor.detach();
}

using SharedMemory = std::shared_ptr<at::DataPtr>;

void releaseMemory(void* memory) { delete static_cast<SharedMemory*>(memory); }

/// Shares the memory of a storage with somebody who keeps it when the storage moves to other memory, as `resize_` makes it do.
/// (A storage that must not be resized is no way out: libtorch then throws with the tensor's sizes already changed.)
SharedMemory shareMemory(const at::Storage& storage) {
  at::StorageImpl* const impl = storage.unsafeGetStorageImpl();
  if (impl->data_ptr().get_deleter() == &releaseMemory) {
    return *static_cast<SharedMemory*>(impl->data_ptr().get_context());
  }
  void* const data = impl->data_ptr().get();
  const c10::Device device = impl->data_ptr().device();
  auto memory = std::make_shared<at::DataPtr>();
  auto* const owner = new SharedMemory(memory);
  *memory = impl->set_data_ptr(at::DataPtr(data, owner, &releaseMemory, device));
  return memory;
}

/// toBuffer(handle) -> an ArrayBuffer on the tensor's own memory, which it keeps alive.
Napi::Value toBuffer(const Napi::CallbackInfo& info) {
  const at::Tensor tensor = hostTensor(tensorAt(info, 0), "toBuffer");
  if (tensor.nbytes() == 0) return Napi::ArrayBuffer::New(info.Env(), 0);
  void* const data = tensor.data_ptr();
  auto* const owner = new SharedMemory(shareMemory(tensor.storage()));
  return Napi::ArrayBuffer::New(
      info.Env(), data, tensor.nbytes(), [](Napi::Env, void*, SharedMemory* kept) { delete kept; }, owner);
}

/// copyToBuffer(handle) -> a new ArrayBuffer with a copy of the tensor's bytes.
Napi::Value copyToBuffer(const Napi::CallbackInfo& info) {
  const at::Tensor tensor = hostTensor(tensorAt(info, 0), "copyToBuffer");
  Napi::ArrayBuffer buffer = Napi::ArrayBuffer::New(info.Env(), tensor.nbytes());
  if (tensor.nbytes() > 0) std::memcpy(buffer.Data(), tensor.data_ptr(), tensor.nbytes());
  return buffer;
}

Napi::Value memory(const Napi::CallbackInfo& info) {
  const Environment& environment = Environment::of(info.Env());
  Napi::Object result = Napi::Object::New(info.Env());
  result["tensors"] = static_cast<double>(environment.tensorCount());
  result["bytes"] = static_cast<double>(environment.storageBytes());
  return result;
}

}  // namespace

void exportTensors(Napi::Object exports) {
  exportFunction<sizes>(exports, "sizes");
  exportFunction<strides>(exports, "strides");
  exportFunction<dtype>(exports, "dtype");
  exportFunction<device>(exports, "device");
  exportFunction<isContiguous>(exports, "isContiguous");
  exportFunction<alias>(exports, "alias");
  exportFunction<release>(exports, "release");
  exportFunction<releaseAll>(exports, "releaseAll");
  exportFunction<fromView>(exports, "fromView");
  exportFunction<toBuffer>(exports, "toBuffer");
  exportFunction<copyToBuffer>(exports, "copyToBuffer");
  exportFunction<memory>(exports, "memory");
}

}  // namespace armseg
