// How a function of the binding becomes one of JavaScript.
#pragma once

#include <napi.h>

#include <stdexcept>
#include <string>

#include "errors.h"

namespace armseg {

/// Runs `body` and turns an error of libtorch into one that is for people, after the name that the caller knows.
template <auto body>
auto withErrorsExplained(const Napi::CallbackInfo& info) {
  try {
    return body(info);
  } catch (const c10::Error& error) {
    const auto* name = static_cast<const char*>(info.Data());
    throw std::runtime_error(std::string(name) + "(): " + explain(error));
  }
}

/// Exports `body` as `name`; errors name `publicName`, the function that calls it in TypeScript.
template <auto body>
void exportFunction(Napi::Object exports, const char* name, const char* publicName = nullptr) {
  void* data = const_cast<char*>(publicName == nullptr ? name : publicName);
  exports[name] = Napi::Function::New(exports.Env(), withErrorsExplained<body>, name, data);
}

}  // namespace armseg
