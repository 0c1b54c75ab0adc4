#include "bridge_worker/interview/report_schema.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "bridge_worker/interview/schema_node.h"
#include "common/core/status.h"

namespace voicebridge::worker {
namespace {

constexpr std::array<std::string_view, 6> kTypes = {"object",  "array",  "string",
                                                    "integer", "number", "boolean"};
constexpr std::array<std::string_view, 14> kKeywords = {
    "type",      "enum",      "properties",  "required", "additionalProperties",
    "items",     "minItems",  "maxItems",    "minimum",  "maximum",
    "minLength", "maxLength", "description", "title"};
constexpr int kDepthMax = 10;  // OpenAI's own limit.

template <std::size_t kSize>
bool IsOneOf(const std::array<std::string_view, kSize>& words, std::string_view word) {
  return std::find(words.begin(), words.end(), word) != words.end();
}

absl::Status CheckType(const json::object& schema, const std::string& place) {
  absl::Status wrong = InvalidArgument("{}: expected one of {}, or an array of that and \"null\"",
                                       Join(place, "type"), fmt::join(kTypes, ", "));
  const json::value* type = schema.if_contains("type");
  if (type == nullptr) {
    return wrong;
  }
  if (type->is_string()) {
    return IsOneOf(kTypes, View(type->get_string())) ? absl::OkStatus() : wrong;
  }
  if (!type->is_array() || type->get_array().size() != 2) {
    return wrong;
  }
  int types = 0;
  int nulls = 0;
  for (const json::value& name : type->get_array()) {
    const std::string_view text = name.is_string() ? View(name.get_string()) : "";
    types += IsOneOf(kTypes, text) ? 1 : 0;
    nulls += text == "null" ? 1 : 0;
  }
  return types == 1 && nulls == 1 ? absl::OkStatus() : wrong;
}

// Keywords that belong to some types only, and whether their value counts things.
struct Bound {
  std::string_view keyword;
  std::string_view type;
  bool is_count;
};
constexpr std::array<Bound, 6> kBounds = {{{"minItems", "array", true},
                                           {"maxItems", "array", true},
                                           {"minLength", "string", true},
                                           {"maxLength", "string", true},
                                           {"minimum", "number", false},
                                           {"maximum", "number", false}}};

absl::Status CheckBounds(const json::object& schema, const std::string& place) {
  const std::string_view type = TypeOf(schema) == "integer" ? "number" : TypeOf(schema);
  for (const Bound& bound : kBounds) {
    if (!schema.contains(bound.keyword)) {
      continue;
    }
    const std::string keyword = Join(place, bound.keyword);
    if (type != bound.type) {
      return InvalidArgument("{}: belongs to type {} only", keyword, bound.type);
    }
    const std::optional<double> limit = FindNumber(schema, bound.keyword);
    if (!limit || (bound.is_count && (*limit < 0 || std::trunc(*limit) != *limit))) {
      return InvalidArgument("{}: expected a {}", keyword,
                             bound.is_count ? "whole number from 0" : "number");
    }
  }
  for (const auto& [low, high] :
       {std::pair("minItems", "maxItems"), std::pair("minLength", "maxLength"),
        std::pair("minimum", "maximum")}) {
    const std::optional<double> least = FindNumber(schema, low);
    const std::optional<double> most = FindNumber(schema, high);
    if (least && most && *least > *most) {
      return InvalidArgument("{}: expected at least {}", Join(place, high), low);
    }
  }
  return absl::OkStatus();
}

absl::Status CheckEnum(const json::object& schema, const std::string& place) {
  if (!schema.contains("enum")) {
    return absl::OkStatus();
  }
  const json::array* values = FindArray(schema, "enum");
  const bool sound = values != nullptr && !values->empty() &&
                     std::all_of(values->begin(), values->end(),
                                 [](const json::value& value) { return value.is_primitive(); });
  return sound ? absl::OkStatus()
               : InvalidArgument("{}: expected a list of texts or numbers", Join(place, "enum"));
}

absl::Status CheckNode(const json::object& schema, const std::string& place, int depth);

// `required` lists each property once, and nothing else.
absl::Status CheckRequired(const json::object& schema, const json::object& properties,
                           const std::string& place) {
  const json::array* required = FindArray(schema, "required");
  std::vector<std::string_view> listed;
  if (required != nullptr) {
    for (const json::value& name : *required) {
      listed.push_back(name.is_string() ? View(name.get_string()) : "");
    }
  }
  std::vector<std::string_view> present;
  for (const auto& property : properties) {
    present.push_back(std::string_view(property.key().data(), property.key().size()));
  }
  std::sort(listed.begin(), listed.end());
  std::sort(present.begin(), present.end());
  return listed == present
             ? absl::OkStatus()
             : InvalidArgument("{}: expected the names of all properties", Join(place, "required"));
}

absl::Status CheckObjectNode(const json::object& schema, const std::string& place, int depth) {
  const json::object* properties = FindObject(schema, "properties");
  if (properties == nullptr) {
    return InvalidArgument("{}: expected an object", Join(place, "properties"));
  }
  if (FindBool(schema, "additionalProperties") != false) {
    return InvalidArgument("{}: expected false", Join(place, "additionalProperties"));
  }
  if (absl::Status status = CheckRequired(schema, *properties, place); !status.ok()) {
    return status;
  }
  for (const auto& property : *properties) {
    const std::string inner = Join(Join(place, "properties"), property.key());
    if (!property.value().is_object()) {
      return InvalidArgument("{}: expected a schema", inner);
    }
    if (absl::Status status = CheckNode(property.value().get_object(), inner, depth + 1);
        !status.ok()) {
      return status;
    }
  }
  return absl::OkStatus();
}

absl::Status CheckNode(const json::object& schema, const std::string& place, int depth) {
  if (depth > kDepthMax) {
    return InvalidArgument("{}: expected at most {} levels", place, kDepthMax);
  }
  for (const auto& member : schema) {
    if (!IsOneOf(kKeywords, std::string_view(member.key().data(), member.key().size()))) {
      return InvalidArgument("{}: unknown keyword; expected one of {}", Join(place, member.key()),
                             fmt::join(kKeywords, ", "));
    }
  }
  if (absl::Status status = CheckType(schema, place); !status.ok()) {
    return status;
  }
  for (const auto check : {&CheckBounds, &CheckEnum}) {
    if (absl::Status status = check(schema, place); !status.ok()) {
      return status;
    }
  }
  const std::string_view type = TypeOf(schema);
  for (const std::string_view keyword : {"properties", "required", "additionalProperties"}) {
    if (type != "object" && schema.contains(keyword)) {
      return InvalidArgument("{}: belongs to type object only", Join(place, keyword));
    }
  }
  if (type == "object") {
    return CheckObjectNode(schema, place, depth);
  }
  const json::object* items = FindObject(schema, "items");
  if ((type == "array") != (items != nullptr)) {
    return InvalidArgument("{}: expected a schema for type array, and for no other",
                           Join(place, "items"));
  }
  return items == nullptr ? absl::OkStatus() : CheckNode(*items, Join(place, "items"), depth + 1);
}

}  // namespace

absl::Status CheckSchema(const json::object& schema) {
  if (StringOr(schema, "type") != "object") {
    return InvalidArgument("type: expected \"object\" at the root");
  }
  return CheckNode(schema, "", 1);
}

}  // namespace voicebridge::worker
