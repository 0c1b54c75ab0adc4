#include "common/json/from_proto.h"

#include <boost/json/array.hpp>
#include <boost/json/string.hpp>
#include <cmath>
#include <cstdint>
#include <map>

namespace voicebridge {
namespace {

using google::protobuf::Value;

constexpr double kExactMax = 9007199254740992.0;  // 2^53: beyond it a double skips integers.

json::value FromNumber(double number) {
  if (std::trunc(number) == number && std::abs(number) <= kExactMax) {
    return static_cast<std::int64_t>(number);
  }
  return number;
}

json::value FromValue(const Value& value) {
  switch (value.kind_case()) {
    case Value::kNumberValue:
      return FromNumber(value.number_value());
    case Value::kStringValue:
      return json::string(value.string_value());
    case Value::kBoolValue:
      return value.bool_value();
    case Value::kStructValue:
      return ToJson(value.struct_value());
    case Value::kListValue: {
      json::array array;
      for (const Value& element : value.list_value().values()) {
        array.push_back(FromValue(element));
      }
      return array;
    }
    case Value::kNullValue:
    case Value::KIND_NOT_SET:
      return nullptr;
  }
  return nullptr;
}

}  // namespace

json::object ToJson(const google::protobuf::Struct& object) {
  const std::map<std::string, Value> sorted(object.fields().begin(), object.fields().end());
  json::object result;
  for (const auto& [name, value] : sorted) {
    result[name] = FromValue(value);
  }
  return result;
}

}  // namespace voicebridge
