// Arguments and results: JavaScript values to the IValues that an operator's schema asks for, and back.
#pragma once

#include <ATen/core/dispatch/Dispatcher.h>
#include <napi.h>

#include <memory>
#include <string>
#include <vector>

#include "compat.h"

namespace armseg {

class Environment;

enum class Kind {
  Tensor, Scalar, Int, Float, Bool, String, Dtype, Layout, MemoryFormat, Device, Generator, Optional, List,
  Object,  // packed parameters, process groups, storages: JavaScript passes on what another operator returned
  Unsupported
};

/// A schema's type, prepared once so that a call only switches on it.
struct ArgumentType {
  explicit ArgumentType(const c10::TypePtr& type);
  bool isSupported() const;

  Kind kind;
  c10::TypePtr type;
  std::unique_ptr<ArgumentType> element;  // of Optional and List
};

struct Parameter {
  explicit Parameter(const c10::Argument& argument);

  std::string name;
  std::string typeName;
  ArgumentType type;
  int64_t listSize;  // of `int[2]`, where one number stands for all; else 0
  bool hasDefault;
  c10::IValue defaultValue;
};

/// An operator that JavaScript has looked up.
struct Operator {
  Operator(const c10::OperatorHandle& handle, Environment& environment);

  c10::OperatorHandle handle;
  Environment& environment;
  std::string name;
  std::vector<Parameter> parameters;
  /// For each result: true if it is one of the arguments (in-place and out variants). JavaScript has its handle.
  std::vector<bool> isAlias;
  std::vector<bool> isDtype;
};

c10::IValue toIValue(Environment& environment, napi_env env, napi_value value, const Parameter& parameter);
napi_value fromIValue(Environment& environment, napi_env env, const c10::IValue& value);

const char* dtypeName(at::ScalarType dtype);
at::ScalarType parseDtype(const std::string& name);

/// "float32 [2, 3]"
std::string describeTensor(const at::Tensor& tensor);

}  // namespace armseg
