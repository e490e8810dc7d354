// The one generic call: any operator of the dispatcher, by its schema.
#include <ATen/ATen.h>

#include <sstream>

#include "binding.h"
#include "environment.h"
#include "export.h"

namespace armseg {

namespace {

constexpr size_t kMaxArguments = 64;

using Stack = std::vector<c10::IValue>;

Stack readArguments(const Operator& op, napi_env env, const napi_value* values, size_t count) {
  if (count > op.parameters.size()) {
    throw std::runtime_error("got " + std::to_string(count) + " arguments for " + std::to_string(op.parameters.size()));
  }
  Stack stack;
  stack.reserve(op.parameters.size());
  for (size_t i = 0; i < op.parameters.size(); ++i) {
    const Parameter& parameter = op.parameters[i];
    napi_valuetype type = napi_undefined;
    if (i < count) napi_typeof(env, values[i], &type);
    if (type != napi_undefined) {
      stack.push_back(toIValue(op.environment, env, values[i], parameter));
    } else if (parameter.hasDefault) {
      stack.push_back(parameter.defaultValue);
    } else if (parameter.type.kind == Kind::Optional) {
      stack.emplace_back();
    } else {
      throw std::runtime_error("argument " + parameter.name + " (" + parameter.typeName + ") is missing");
    }
  }
  return stack;
}

napi_value readResult(const Operator& op, napi_env env, const c10::IValue& value, size_t index) {
  napi_value result;
  if (op.isAlias[index]) {
    napi_get_undefined(env, &result);
    return result;
  }
  if (op.isDtype[index] && value.isInt()) {
    const char* name = dtypeName(static_cast<at::ScalarType>(value.toInt()));
    napi_create_string_utf8(env, name, NAPI_AUTO_LENGTH, &result);
    return result;
  }
  return fromIValue(op.environment, env, value);
}

/// One result as it is, several as an array; an argument that is returned (in-place, out) as undefined.
napi_value readResults(const Operator& op, napi_env env, const Stack& stack) {
  napi_value result;
  if (stack.size() == 1) return readResult(op, env, stack[0], 0);
  if (stack.empty()) {
    napi_get_undefined(env, &result);
    return result;
  }
  napi_create_array_with_length(env, stack.size(), &result);
  for (size_t i = 0; i < stack.size(); ++i) {
    napi_set_element(env, result, static_cast<uint32_t>(i), readResult(op, env, stack[i], i));
  }
  return result;
}

/// " (self: float32 [2, 3], other: float32 [4])"
std::string describeArguments(const Operator& op, const Stack& arguments) {
  std::ostringstream text;
  const char* separator = "";
  for (size_t i = 0; i < arguments.size() && i < op.parameters.size(); ++i) {
    if (arguments[i].isTensor() && arguments[i].toTensor().defined()) {
      text << separator << op.parameters[i].name << ": " << describeTensor(arguments[i].toTensor());
      separator = ", ";
    } else if (arguments[i].isTensorList()) {
      text << separator << op.parameters[i].name << ": [";
      const c10::List<at::Tensor> tensors = arguments[i].toTensorList();
      for (size_t j = 0; j < tensors.size() && j < 4; ++j) text << (j ? ", " : "") << describeTensor(tensors.get(j));
      text << (tensors.size() > 4 ? ", ...]" : "]");
      separator = ", ";
    }
  }
  return text.str().empty() ? "" : " (" + text.str() + ")";
}

napi_value throwError(napi_env env, const Operator& op, const std::string& what, const std::string& arguments) {
  const std::string message = op.name + "(): " + what + arguments;
  napi_throw_error(env, "ERR_LIBTORCH", message.c_str());
  return nullptr;
}

napi_value invoke(napi_env env, napi_callback_info info) {
  napi_value values[kMaxArguments];
  size_t count = kMaxArguments;
  void* data;
  napi_get_cb_info(env, info, &count, values, nullptr, &data);
  const Operator& op = *static_cast<Operator*>(data);
  std::string arguments;
  try {
    Stack stack = readArguments(op, env, values, count);
    try {
      op.handle.callBoxed(&stack);
    } catch (...) {
      // The operator takes its arguments off the stack, so they are read again for the message.
      arguments = describeArguments(op, readArguments(op, env, values, count));
      throw;
    }
    return readResults(op, env, stack);
  } catch (const c10::Error& error) {
    return throwError(env, op, explain(error), arguments);
  } catch (const std::exception& error) {
    return throwError(env, op, error.what(), arguments);
  }
}

/// operator(name, overload) -> function of the schema's arguments in their order
Napi::Value findOperator(const Napi::CallbackInfo& info) {
  const std::string name = info[0].As<Napi::String>();
  const std::string overload = info[1].As<Napi::String>();
  Operator& op = Environment::of(info.Env()).findOperator(name, overload);
  napi_value function;
  napi_create_function(info.Env(), op.name.c_str(), op.name.size(), invoke, &op, &function);
  return Napi::Value(info.Env(), function);
}

/// operatorNames() -> ["aten::add", "Tensor", "aten::add", "Scalar", ...], those with a schema
Napi::Value operatorNames(const Napi::CallbackInfo& info) {
  Napi::Array names = Napi::Array::New(info.Env());
  uint32_t next = 0;
  for (const c10::OperatorName& name : c10::Dispatcher::singleton().getAllOpNames()) {
    if (!c10::Dispatcher::singleton().findSchema(name)) continue;
    names[next++] = Napi::String::New(info.Env(), name.name);
    names[next++] = Napi::String::New(info.Env(), name.overload_name);
  }
  return names;
}

Napi::Object describeParameter(Napi::Env env, const c10::Argument& argument) {
  Napi::Object result = Napi::Object::New(env);
  result["name"] = argument.name();
  result["type"] = argument.real_type()->str();
  result["listSize"] = argument.N() ? static_cast<double>(*argument.N()) : 0.0;
  result["hasDefault"] = argument.default_value().has_value();
  result["isKeywordOnly"] = argument.kwarg_only();
  result["isWritten"] = argument.alias_info() != nullptr && argument.alias_info()->isWrite();
  result["isSupported"] = ArgumentType(argument.real_type()).isSupported();
  return result;
}

/// The argument that a result of an in-place or out variant is, or -1.
int aliasedArgument(const c10::FunctionSchema& schema, const c10::Argument& result) {
  if (result.alias_info() == nullptr || !result.alias_info()->isWrite()) return -1;
  for (size_t i = 0; i < schema.arguments().size(); ++i) {
    const c10::AliasInfo* alias = schema.arguments()[i].alias_info();
    if (alias != nullptr && alias->beforeSets() == result.alias_info()->beforeSets()) return static_cast<int>(i);
  }
  return -1;
}

/// describeOperator(name, overload) -> { schema, parameters, results }
Napi::Value describeOperator(const Napi::CallbackInfo& info) {
  const Napi::Env env = info.Env();
  const std::string name = info[0].As<Napi::String>();
  const std::string overload = info[1].As<Napi::String>();
  const c10::FunctionSchema& schema = Environment::of(env).findOperator(name, overload).handle.schema();
  Napi::Array parameters = Napi::Array::New(env);
  for (size_t i = 0; i < schema.arguments().size(); ++i) {
    parameters[static_cast<uint32_t>(i)] = describeParameter(env, schema.arguments()[i]);
  }
  Napi::Array results = Napi::Array::New(env);
  for (size_t i = 0; i < schema.returns().size(); ++i) {
    Napi::Object result = Napi::Object::New(env);
    result["name"] = schema.returns()[i].name();
    result["type"] = schema.returns()[i].real_type()->str();
    result["aliasOf"] = aliasedArgument(schema, schema.returns()[i]);
    results[static_cast<uint32_t>(i)] = result;
  }
  std::ostringstream text;
  text << schema;
  Napi::Object result = Napi::Object::New(env);
  result["schema"] = text.str();
  result["parameters"] = parameters;
  result["results"] = results;
  return result;
}

}  // namespace

void exportCalls(Napi::Object exports) {
  exportFunction<findOperator>(exports, "operator");
  exportFunction<operatorNames>(exports, "operatorNames");
  exportFunction<describeOperator>(exports, "describeOperator");
}

}  // namespace armseg
