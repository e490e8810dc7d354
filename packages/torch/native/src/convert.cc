#include "convert.h"

#include <ATen/ATen.h>
#include <ATen/core/Generator.h>

#include <cmath>
#include <sstream>
#include <stdexcept>

#include "environment.h"

namespace armseg {

namespace {

constexpr double kMaxSafeInteger = 9007199254740991.0;

struct DtypeName {
  at::ScalarType dtype;
  const char* name;
};
constexpr DtypeName kDtypes[] = {
    {at::kByte, "uint8"},           {at::kChar, "int8"},
    {at::kShort, "int16"},          {at::kInt, "int32"},
    {at::kLong, "int64"},           {at::kHalf, "float16"},
    {at::kFloat, "float32"},        {at::kDouble, "float64"},
    {at::kComplexHalf, "complex32"}, {at::kComplexFloat, "complex64"},
    {at::kComplexDouble, "complex128"}, {at::kBool, "bool"},
    {at::kBFloat16, "bfloat16"},    {at::kQInt8, "qint8"},
    {at::kQUInt8, "quint8"},        {at::kQInt32, "qint32"},
};

/// The types for which a schema's `type()` says int but its `real_type()` says more.
Kind kindOf(const c10::TypePtr& type) {
  switch (type->kind()) {
    case c10::TypeKind::TensorType: return Kind::Tensor;
    case c10::TypeKind::NumberType: return Kind::Scalar;
    case c10::TypeKind::IntType:
    case c10::TypeKind::SymIntType:
    case c10::TypeKind::QSchemeType: return Kind::Int;
    case c10::TypeKind::FloatType:
    case c10::TypeKind::SymFloatType: return Kind::Float;
    case c10::TypeKind::BoolType: return Kind::Bool;
    case c10::TypeKind::StringType: return Kind::String;
    case c10::TypeKind::ScalarTypeType: return Kind::Dtype;
    case c10::TypeKind::LayoutType: return Kind::Layout;
    case c10::TypeKind::MemoryFormatType: return Kind::MemoryFormat;
    case c10::TypeKind::DeviceObjType: return Kind::Device;
    case c10::TypeKind::GeneratorType: return Kind::Generator;
    case c10::TypeKind::OptionalType: return Kind::Optional;
    case c10::TypeKind::ListType: return Kind::List;
    case c10::TypeKind::ClassType:
    case c10::TypeKind::AnyType:
    case c10::TypeKind::StorageType:
    case c10::TypeKind::StreamObjType: return Kind::Object;
    default: return Kind::Unsupported;
  }
}

std::string typeName(napi_env env, napi_value value) {
  napi_valuetype type;
  napi_typeof(env, value, &type);
  switch (type) {
    case napi_undefined: return "undefined";
    case napi_null: return "null";
    case napi_boolean: return "a boolean";
    case napi_number: return "a number";
    case napi_string: return "a string";
    case napi_bigint: return "a bigint";
    case napi_function: return "a function";
    default: {
      bool isArray = false;
      napi_is_array(env, value, &isArray);
      return isArray ? "an array" : "an object";
    }
  }
}

class Reader {
 public:
  Reader(Environment& environment, napi_env env, const Parameter& parameter)
      : environment_(environment), env_(env), parameter_(parameter) {}

  c10::IValue read(napi_value value, const ArgumentType& type) const {
    switch (type.kind) {
      case Kind::Tensor: return tensor(value);
      case Kind::Scalar: return scalar(value);
      case Kind::Int: return integer(value);
      case Kind::Float: return number(value);
      case Kind::Bool: return boolean(value);
      case Kind::String: return string(value);
      case Kind::Dtype: return static_cast<int64_t>(parseDtype(string(value)));
      case Kind::Layout: return static_cast<int64_t>(layout(string(value)));
      case Kind::MemoryFormat: return static_cast<int64_t>(memoryFormat(string(value)));
      case Kind::Device: return c10::Device(string(value));
      case Kind::Generator: return generator(value);
      case Kind::Optional:
        return isNothing(value) ? c10::IValue() : read(value, *type.element);
      case Kind::List: return list(value, *type.element);
      case Kind::Object: return object(value);
      case Kind::Unsupported: break;
    }
    throw std::runtime_error("argument " + parameter_.name + ": values of type " + parameter_.typeName +
                             " cannot be passed from JavaScript");
  }

 private:
  [[noreturn]] void refuse(napi_value value) const {
    throw std::runtime_error("argument " + parameter_.name + ": expected " + parameter_.typeName + ", got " +
                             typeName(env_, value));
  }

  bool isNothing(napi_value value) const {
    napi_valuetype type;
    napi_typeof(env_, value, &type);
    return type == napi_null || type == napi_undefined;
  }

  const at::Tensor& tensor(napi_value value) const {
    double handle;
    if (napi_get_value_double(env_, value, &handle) != napi_ok) refuse(value);
    return environment_.get(handle);
  }

  double number(napi_value value) const {
    double result;
    if (napi_get_value_double(env_, value, &result) != napi_ok) refuse(value);
    return result;
  }

  int64_t integer(napi_value value) const {
    double result;
    if (napi_get_value_double(env_, value, &result) == napi_ok) {
      if (std::trunc(result) != result || std::abs(result) > kMaxSafeInteger) refuse(value);
      return static_cast<int64_t>(result);
    }
    int64_t big;
    bool lossless;
    if (napi_get_value_bigint_int64(env_, value, &big, &lossless) != napi_ok || !lossless) refuse(value);
    return big;
  }

  bool boolean(napi_value value) const {
    bool result;
    if (napi_get_value_bool(env_, value, &result) != napi_ok) refuse(value);
    return result;
  }

  /// A whole number becomes an integer, as a Python literal without a point does.
  c10::IValue scalar(napi_value value) const {
    napi_valuetype type;
    napi_typeof(env_, value, &type);
    if (type == napi_boolean) return boolean(value);
    if (type == napi_bigint) return integer(value);
    const double result = number(value);
    const bool isWhole = std::trunc(result) == result && std::abs(result) <= kMaxSafeInteger;
    return isWhole ? c10::IValue(static_cast<int64_t>(result)) : c10::IValue(result);
  }

  at::Scalar toScalar(napi_value value) const { return scalar(value).toScalar(); }

  std::string string(napi_value value) const {
    size_t length;
    if (napi_get_value_string_utf8(env_, value, nullptr, 0, &length) != napi_ok) refuse(value);
    std::string result(length, '\0');
    napi_get_value_string_utf8(env_, value, result.data(), length + 1, &length);
    return result;
  }

  const c10::IValue& object(napi_value value) const {
    void* data;
    if (napi_get_value_external(env_, value, &data) != napi_ok) refuse(value);
    return *static_cast<c10::IValue*>(data);
  }

  const c10::IValue& generator(napi_value value) const {
    const c10::IValue& held = object(value);
    if (!held.isGenerator()) refuse(value);
    return held;
  }

  static at::Layout layout(const std::string& name) {
    if (name == "strided") return at::kStrided;
    if (name == "sparse_coo") return at::kSparse;
    if (name == "sparse_csr") return at::kSparseCsr;
    if (name == "mkldnn") return at::kMkldnn;
    throw std::runtime_error("unknown layout \"" + name + "\"; use strided, sparse_coo, sparse_csr or mkldnn");
  }

  static at::MemoryFormat memoryFormat(const std::string& name) {
    if (name == "contiguous") return at::MemoryFormat::Contiguous;
    if (name == "preserve") return at::MemoryFormat::Preserve;
    if (name == "channels_last") return at::MemoryFormat::ChannelsLast;
    if (name == "channels_last_3d") return at::MemoryFormat::ChannelsLast3d;
    throw std::runtime_error("unknown memory format \"" + name +
                             "\"; use contiguous, preserve, channels_last or channels_last_3d");
  }

  template <class T, class ReadOne>
  c10::IValue gather(napi_value value, ReadOne readOne) const {
    c10::List<T> result;
    bool isArray = false;
    napi_is_array(env_, value, &isArray);
    if (!isArray) {
      if (parameter_.listSize == 0) refuse(value);
      const T one = readOne(value);
      for (int64_t i = 0; i < parameter_.listSize; ++i) result.push_back(one);
      return result;
    }
    forEachElement(value, [&](napi_value element) { result.push_back(readOne(element)); });
    return result;
  }

  /// Lists whose elements are not of a plain type: nested lists, optional tensors apart, objects.
  c10::IValue gatherAny(napi_value value, const ArgumentType& element) const {
    bool isArray = false;
    napi_is_array(env_, value, &isArray);
    if (!isArray) refuse(value);
    c10::impl::GenericList result(element.type);
    forEachElement(value, [&](napi_value one) { result.push_back(read(one, element)); });
    return result;
  }

  template <class Visit>
  void forEachElement(napi_value array, Visit visit) const {
    uint32_t length;
    napi_get_array_length(env_, array, &length);
    for (uint32_t i = 0; i < length; ++i) {
      napi_value element;
      napi_get_element(env_, array, i, &element);
      visit(element);
    }
  }

  c10::IValue list(napi_value value, const ArgumentType& element) const {
    switch (element.kind) {
      case Kind::Tensor: return gather<at::Tensor>(value, [this](napi_value v) { return tensor(v); });
      case Kind::Int: return gather<int64_t>(value, [this](napi_value v) { return integer(v); });
      case Kind::Float: return gather<double>(value, [this](napi_value v) { return number(v); });
      case Kind::Bool: return gather<bool>(value, [this](napi_value v) { return boolean(v); });
      case Kind::Scalar: return gather<at::Scalar>(value, [this](napi_value v) { return toScalar(v); });
      case Kind::String: return gather<std::string>(value, [this](napi_value v) { return string(v); });
      case Kind::Dtype:
        return gather<int64_t>(value, [this](napi_value v) { return static_cast<int64_t>(parseDtype(string(v))); });
      default: break;
    }
    if (element.kind != Kind::Optional || element.element->kind != Kind::Tensor) return gatherAny(value, element);
    return gather<Optional<at::Tensor>>(value, [this](napi_value v) {
      return isNothing(v) ? Optional<at::Tensor>() : Optional<at::Tensor>(tensor(v));
    });
  }

  Environment& environment_;
  napi_env env_;
  const Parameter& parameter_;
};

napi_value fromInteger(napi_env env, int64_t value) {
  napi_value result;
  if (std::abs(static_cast<double>(value)) <= kMaxSafeInteger) {
    napi_create_int64(env, value, &result);
  } else {
    napi_create_bigint_int64(env, value, &result);
  }
  return result;
}

template <class Elements>
napi_value fromElements(Environment& environment, napi_env env, const Elements& elements) {
  napi_value array;
  napi_create_array_with_length(env, elements.size(), &array);
  for (size_t i = 0; i < elements.size(); ++i) {
    napi_set_element(env, array, static_cast<uint32_t>(i), fromIValue(environment, env, elements[i]));
  }
  return array;
}

}  // namespace

ArgumentType::ArgumentType(const c10::TypePtr& type) : kind(kindOf(type)), type(type) {
  if (kind == Kind::Optional || kind == Kind::List) {
    element = std::make_unique<ArgumentType>(type->containedTypes().at(0));
  }
}

bool ArgumentType::isSupported() const {
  return kind != Kind::Unsupported && (!element || element->isSupported());
}

Parameter::Parameter(const c10::Argument& argument)
    : name(argument.name()),
      typeName(argument.real_type()->str()),
      type(argument.real_type()),
      listSize(argument.N() ? *argument.N() : 0),
      hasDefault(argument.default_value().has_value()) {
  if (hasDefault) defaultValue = *argument.default_value();
}

Operator::Operator(const c10::OperatorHandle& handle, Environment& environment)
    : handle(handle), environment(environment) {
  const c10::FunctionSchema& schema = handle.schema();
  name = schema.name() + (schema.overload_name().empty() ? "" : "." + schema.overload_name());
  for (const c10::Argument& argument : schema.arguments()) parameters.emplace_back(argument);
  for (const c10::Argument& result : schema.returns()) {
    isAlias.push_back(result.alias_info() != nullptr && result.alias_info()->isWrite());
    isDtype.push_back(result.real_type()->kind() == c10::TypeKind::ScalarTypeType);
  }
}

c10::IValue toIValue(Environment& environment, napi_env env, napi_value value, const Parameter& parameter) {
  return Reader(environment, env, parameter).read(value, parameter.type);
}

napi_value fromIValue(Environment& environment, napi_env env, const c10::IValue& value) {
  napi_value result;
  if (value.isTensor()) {
    const at::Tensor& tensor = value.toTensor();
    if (tensor.defined()) {
      napi_create_double(env, environment.add(tensor), &result);
    } else {
      napi_get_null(env, &result);
    }
  } else if (value.isInt()) {
    return fromInteger(env, value.toInt());
  } else if (value.isDouble()) {
    napi_create_double(env, value.toDouble(), &result);
  } else if (value.isBool()) {
    napi_get_boolean(env, value.toBool(), &result);
  } else if (value.isString()) {
    const std::string& text = value.toStringRef();
    napi_create_string_utf8(env, text.data(), text.size(), &result);
  } else if (value.isNone()) {
    napi_get_null(env, &result);
  } else if (value.isDevice()) {
    const std::string text = value.toDevice().str();
    napi_create_string_utf8(env, text.data(), text.size(), &result);
  } else if (value.isComplexDouble()) {
    const c10::complex<double> number = value.toComplexDouble();
    return fromElements(environment, env, std::vector<c10::IValue>{number.real(), number.imag()});
  } else if (value.isTuple()) {
    return fromElements(environment, env, value.toTupleRef().elements());
  } else if (value.isList()) {
    return fromElements(environment, env, value.toListRef());
  } else {
    napi_create_external(
        env, new c10::IValue(value), [](napi_env, void* data, void*) { delete static_cast<c10::IValue*>(data); },
        nullptr, &result);
  }
  return result;
}

const char* dtypeName(at::ScalarType dtype) {
  for (const DtypeName& entry : kDtypes) {
    if (entry.dtype == dtype) return entry.name;
  }
  return c10::toString(dtype);
}

at::ScalarType parseDtype(const std::string& name) {
  for (const DtypeName& entry : kDtypes) {
    if (name == entry.name) return entry.dtype;
  }
  throw std::runtime_error("unknown dtype \"" + name + "\"; use float32, int64, bool, ...");
}

std::string describeTensor(const at::Tensor& tensor) {
  if (!tensor.defined()) return "undefined";
  std::ostringstream text;
  text << dtypeName(tensor.scalar_type()) << " [";
  for (int64_t i = 0; i < tensor.dim(); ++i) text << (i ? ", " : "") << tensor.size(i);
  text << "]";
  if (!tensor.device().is_cpu()) text << " on " << tensor.device().str();
  return text.str();
}

}  // namespace armseg
