#include "tests/simulator/schema.h"

#include <algorithm>
#include <utility>

#include "common/core/status.h"

namespace voicebridge::simulator {
namespace {

using Kind = Schema::Kind;

Schema Of(Kind kind) {
  Schema schema;
  schema.kind = kind;
  return schema;
}

std::string Join(const std::string& path, std::string_view key) {
  return path.empty() ? std::string(key) : fmt::format("{}.{}", path, key);
}

std::string_view NameOf(const Schema& schema) {
  switch (schema.kind) {
    case Kind::kAny:
      return "any value";
    case Kind::kString:
    case Kind::kEnum:
      return "a string";
    case Kind::kBool:
      return "a boolean";
    case Kind::kInteger:
      return "an integer";
    case Kind::kNumber:
      return "a decimal";
    case Kind::kObject:
    case Kind::kTagged:
    case Kind::kStrings:
    case Kind::kAnyObject:
      return "an object";
    case Kind::kArray:
      return "an array";
    case Kind::kOneOf:
      break;
  }
  return "one of several types";
}

std::string_view NameOf(const json::value& value) {
  switch (value.kind()) {
    case json::kind::null:
      return "null";
    case json::kind::bool_:
      return "a boolean";
    case json::kind::int64:
    case json::kind::uint64:
      return "an integer";
    case json::kind::double_:
      return "a decimal";
    case json::kind::string:
      return "a string";
    case json::kind::array:
      return "an array";
    case json::kind::object:
      break;
  }
  return "an object";
}

bool FitsType(const Schema& schema, const json::value& value) {
  if (value.is_null()) {
    return schema.nullable || schema.kind == Kind::kAny;
  }
  switch (schema.kind) {
    case Kind::kAny:
      return true;
    case Kind::kString:
    case Kind::kEnum:
      return value.is_string();
    case Kind::kBool:
      return value.is_bool();
    case Kind::kInteger:
      return value.is_int64() || value.is_uint64();
    case Kind::kNumber:
      return value.is_number();
    case Kind::kObject:
    case Kind::kTagged:
    case Kind::kStrings:
    case Kind::kAnyObject:
      return value.is_object();
    case Kind::kArray:
      return value.is_array();
    case Kind::kOneOf:
      break;
  }
  return std::any_of(schema.inner.begin(), schema.inner.end(),
                     [&](const Schema& inner) { return FitsType(inner, value); });
}

Refusal Missing(const std::string& path) {
  return {"missing_required_parameter", fmt::format("Missing required parameter: '{}'.", path),
          path};
}

Refusal Unsupported(std::string_view value, const std::vector<std::string>& supported,
                    const std::string& path) {
  return {"invalid_value",
          fmt::format("Invalid value: '{}'. Supported values are: {}.", value, ListOf(supported)),
          path};
}

std::optional<Refusal> CheckLength(const Schema& schema, const json::string& text,
                                   const std::string& path) {
  if (static_cast<double>(text.size()) <= schema.max) {
    return std::nullopt;
  }
  return Refusal{"string_above_max_length",
                 fmt::format("Invalid '{}': string too long. Expected a string with maximum length "
                             "{}, but got a string with length {} instead.",
                             path, schema.max, text.size()),
                 path};
}

std::optional<Refusal> CheckRange(const Schema& schema, const json::value& value,
                                  const std::string& path) {
  const double number = value.to_number<double>();
  if (number >= schema.min && number <= schema.max) {
    return std::nullopt;
  }
  return Refusal{"invalid_value",
                 fmt::format("Invalid value: '{}'. Expected a value between {} and {}.", number,
                             schema.min, schema.max),
                 path};
}

std::optional<Refusal> CheckEnum(const Schema& schema, const json::string& text,
                                 const std::string& path) {
  if (std::find(schema.values.begin(), schema.values.end(), View(text)) != schema.values.end()) {
    return std::nullopt;
  }
  return Unsupported(View(text), schema.values, path);
}

const Member* FindMember(const Schema& schema, std::string_view name) {
  for (const Member& member : schema.members) {
    if (member.name == name) {
      return &member;
    }
  }
  return nullptr;
}

std::optional<Refusal> CheckObject(const Schema& schema, const json::object& object,
                                   const std::string& path) {
  for (const Member& member : schema.members) {
    if (member.required && !object.contains(member.name)) {
      return Missing(Join(path, member.name));
    }
  }
  for (const auto& [key, value] : object) {
    if (FindMember(schema, key) == nullptr) {
      const std::string name = Join(path, key);
      return Refusal{"unknown_parameter", fmt::format("Unknown parameter: '{}'.", name), name};
    }
  }
  for (const auto& [key, value] : object) {
    if (auto refusal = Check(FindMember(schema, key)->schema, value, Join(path, key))) {
      return refusal;
    }
  }
  return std::nullopt;
}

std::optional<Refusal> CheckTagged(const Schema& schema, const json::object& object,
                                   const std::string& path) {
  const std::string tag_path = Join(path, schema.tag);
  const json::value* tag = object.if_contains(schema.tag);
  if (tag == nullptr) {
    return Missing(tag_path);
  }
  if (auto refusal = Check(String(), *tag, tag_path)) {
    return refusal;
  }
  const Member* variant = FindMember(schema, View(tag->get_string()));
  if (variant != nullptr) {
    return Check(variant->schema, object, path);
  }
  std::vector<std::string> supported;
  for (const Member& member : schema.members) {
    supported.push_back(member.name);
  }
  return Unsupported(View(tag->get_string()), supported, tag_path);
}

std::optional<Refusal> CheckArray(const Schema& schema, const json::array& array,
                                  const std::string& path) {
  for (std::size_t index = 0; index < array.size(); ++index) {
    if (auto refusal =
            Check(schema.inner.front(), array[index], fmt::format("{}[{}]", path, index))) {
      return refusal;
    }
  }
  return std::nullopt;
}

std::optional<Refusal> CheckStrings(const Schema& schema, const json::object& object,
                                    const std::string& path) {
  if (static_cast<double>(object.size()) > schema.max) {
    return Refusal{"object_above_max_properties",
                   fmt::format("Invalid '{}': too many properties. Expected an object with at most "
                               "{} properties, but got {} instead.",
                               path, schema.max, object.size()),
                   path};
  }
  for (const auto& [key, value] : object) {
    if (auto refusal = Check(schema.inner.front(), value, Join(path, key))) {
      return refusal;
    }
  }
  return std::nullopt;
}

}  // namespace

Schema Any() { return Of(Kind::kAny); }

Schema AnyObject() { return Of(Kind::kAnyObject); }

Schema String(std::size_t length_max) {
  Schema schema = Of(Kind::kString);
  schema.max = static_cast<double>(length_max);
  return schema;
}

Schema Bool() { return Of(Kind::kBool); }

Schema Integer(double min, double max) {
  Schema schema = Of(Kind::kInteger);
  schema.min = min;
  schema.max = max;
  return schema;
}

Schema Number(double min, double max) {
  Schema schema = Integer(min, max);
  schema.kind = Kind::kNumber;
  return schema;
}

Schema Enum(std::vector<std::string> values) {
  Schema schema = Of(Kind::kEnum);
  schema.values = std::move(values);
  return schema;
}

Schema Object(std::vector<Member> members) {
  Schema schema = Of(Kind::kObject);
  schema.members = std::move(members);
  return schema;
}

Schema Array(Schema element) {
  Schema schema = Of(Kind::kArray);
  schema.inner.push_back(std::move(element));
  return schema;
}

Schema OneOf(std::vector<Schema> alternatives) {
  Schema schema = Of(Kind::kOneOf);
  schema.inner = std::move(alternatives);
  return schema;
}

Schema Tagged(std::string tag, std::vector<Member> variants) {
  Schema schema = Of(Kind::kTagged);
  schema.tag = std::move(tag);
  schema.members = std::move(variants);
  return schema;
}

Schema Strings(std::size_t count_max, std::size_t length_max) {
  Schema schema = Of(Kind::kStrings);
  schema.max = static_cast<double>(count_max);
  schema.inner.push_back(String(length_max));
  return schema;
}

Schema OrNull(Schema schema) {
  schema.nullable = true;
  return schema;
}

Member Required(std::string name, Schema schema) {
  return Member{std::move(name), std::move(schema), true};
}

Member Optional(std::string name, Schema schema) {
  return Member{std::move(name), std::move(schema), false};
}

std::optional<Refusal> Check(const Schema& schema, const json::value& value,
                             const std::string& path) {
  if (!FitsType(schema, value)) {
    return Refusal{"invalid_type",
                   fmt::format("Invalid type for '{}': expected {}, but got {} instead.", path,
                               NameOf(schema), NameOf(value)),
                   path};
  }
  if (value.is_null()) {
    return std::nullopt;
  }
  switch (schema.kind) {
    case Kind::kAny:
    case Kind::kAnyObject:
    case Kind::kBool:
      return std::nullopt;
    case Kind::kString:
      return CheckLength(schema, value.get_string(), path);
    case Kind::kEnum:
      return CheckEnum(schema, value.get_string(), path);
    case Kind::kInteger:
    case Kind::kNumber:
      return CheckRange(schema, value, path);
    case Kind::kObject:
      return CheckObject(schema, value.get_object(), path);
    case Kind::kTagged:
      return CheckTagged(schema, value.get_object(), path);
    case Kind::kStrings:
      return CheckStrings(schema, value.get_object(), path);
    case Kind::kArray:
      return CheckArray(schema, value.get_array(), path);
    case Kind::kOneOf:
      break;
  }
  for (const Schema& inner : schema.inner) {
    if (FitsType(inner, value)) {
      return Check(inner, value, path);
    }
  }
  return std::nullopt;
}

std::string ListOf(const std::vector<std::string>& values) {
  std::string list;
  for (std::size_t index = 0; index < values.size(); ++index) {
    const bool last = index + 1 == values.size();
    list += index == 0 ? "" : !last ? ", " : values.size() == 2 ? " and " : ", and ";
    list += fmt::format("'{}'", values[index]);
  }
  return list;
}

}  // namespace voicebridge::simulator
