// Gradients and the scopes that switch their recording off.
#include <ATen/ATen.h>
#include <torch/csrc/autograd/autograd.h>
#include <torch/csrc/autograd/variable.h>

#include <stdexcept>

#include "binding.h"
#include "environment.h"
#include "export.h"

namespace armseg {

namespace {

using torch::autograd::variable_list;

at::Tensor& tensorAt(const Napi::CallbackInfo& info, size_t index) {
  return Environment::of(info.Env()).get(info[index].As<Napi::Number>().DoubleValue());
}

variable_list readTensors(const Napi::CallbackInfo& info, size_t index) {
  variable_list tensors;
  if (!info[index].IsArray()) return tensors;
  const Napi::Array handles = info[index].As<Napi::Array>();
  for (uint32_t i = 0; i < handles.Length(); ++i) {
    const Napi::Value handle = handles[i];
    tensors.push_back(handle.IsNumber()
                          ? Environment::of(info.Env()).get(handle.As<Napi::Number>().DoubleValue())
                          : at::Tensor());
  }
  return tensors;
}

/// backward(roots, gradients, retainGraph, createGraph)
void backward(const Napi::CallbackInfo& info) {
  torch::autograd::backward(readTensors(info, 0), readTensors(info, 1), info[2].As<Napi::Boolean>().Value(),
                            info[3].As<Napi::Boolean>().Value());
}

/// grad(outputs, inputs, gradOutputs, retainGraph, createGraph, allowUnused) -> handles or null
Napi::Value grad(const Napi::CallbackInfo& info) {
  const variable_list gradients = torch::autograd::grad(
      readTensors(info, 0), readTensors(info, 1), readTensors(info, 2), info[3].As<Napi::Boolean>().Value(),
      info[4].As<Napi::Boolean>().Value(), info[5].As<Napi::Boolean>().Value());
  Napi::Array result = Napi::Array::New(info.Env(), gradients.size());
  for (size_t i = 0; i < gradients.size(); ++i) {
    const auto index = static_cast<uint32_t>(i);
    if (gradients[i].defined()) {
      result[index] = Environment::of(info.Env()).add(gradients[i]);
    } else {
      result[index] = info.Env().Null();
    }
  }
  return result;
}

Napi::Value requiresGrad(const Napi::CallbackInfo& info) {
  return Napi::Boolean::New(info.Env(), tensorAt(info, 0).requires_grad());
}

void setRequiresGrad(const Napi::CallbackInfo& info) {
  tensorAt(info, 0).set_requires_grad(info[1].As<Napi::Boolean>());
}

Napi::Value isLeaf(const Napi::CallbackInfo& info) {
  return Napi::Boolean::New(info.Env(), tensorAt(info, 0).is_leaf());
}

Napi::Value gradient(const Napi::CallbackInfo& info) {
  const at::Tensor& value = tensorAt(info, 0).grad();
  if (!value.defined()) return info.Env().Null();
  return Napi::Number::New(info.Env(), Environment::of(info.Env()).add(value));
}

void setGradient(const Napi::CallbackInfo& info) {
  tensorAt(info, 0).mutable_grad() = info[1].IsNumber() ? tensorAt(info, 1) : at::Tensor();
}

void pushGradMode(const Napi::CallbackInfo& info) {
  Environment::of(info.Env()).gradModes.push_back(std::make_unique<at::AutoGradMode>(info[0].As<Napi::Boolean>()));
}

/// Leaves the scope that was entered last; one that never was is an error, where `pop_back` would be undefined.
template <typename Mode>
void pop(std::vector<std::unique_ptr<Mode>>& modes, const char* caller) {
  if (modes.empty()) throw std::runtime_error(std::string(caller) + "(): no such mode was entered");
  modes.pop_back();
}

void popGradMode(const Napi::CallbackInfo& info) { pop(Environment::of(info.Env()).gradModes, "popGradMode"); }

void pushInferenceMode(const Napi::CallbackInfo& info) {
  Environment::of(info.Env()).inferenceModes.push_back(std::make_unique<c10::InferenceMode>(true));
}

void popInferenceMode(const Napi::CallbackInfo& info) {
  pop(Environment::of(info.Env()).inferenceModes, "popInferenceMode");
}

Napi::Value isGradEnabled(const Napi::CallbackInfo& info) {
  return Napi::Boolean::New(info.Env(), at::GradMode::is_enabled());
}

}  // namespace

void exportAutograd(Napi::Object exports) {
  exportFunction<backward>(exports, "backward");
  exportFunction<grad>(exports, "grad");
  exportFunction<requiresGrad>(exports, "requiresGrad");
  exportFunction<setRequiresGrad>(exports, "setRequiresGrad", "requiresGrad_");
  exportFunction<isLeaf>(exports, "isLeaf");
  exportFunction<gradient>(exports, "gradient");
  exportFunction<setGradient>(exports, "setGradient", "grad");
  exportFunction<pushGradMode>(exports, "pushGradMode");
  exportFunction<popGradMode>(exports, "popGradMode");
  exportFunction<pushInferenceMode>(exports, "pushInferenceMode");
  exportFunction<popInferenceMode>(exports, "popInferenceMode");
  exportFunction<isGradEnabled>(exports, "isGradEnabled");
}

}  // namespace armseg
