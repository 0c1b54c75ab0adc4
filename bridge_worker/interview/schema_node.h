// Reading one node of a report's schema. Private to report_schema.cc and report_check.cc.
#pragma once

#include <fmt/format.h>

#include <optional>
#include <string>
#include <string_view>

#include "common/json/json.h"

namespace voicebridge::worker {

inline std::string Join(const std::string& place, std::string_view name) {
  return place.empty() ? std::string(name) : fmt::format("{}.{}", place, name);
}

inline std::optional<double> FindNumber(const json::object& object, std::string_view key) {
  const json::value* value = object.if_contains(key);
  if (value == nullptr || !value->is_number()) {
    return std::nullopt;
  }
  return value->to_number<double>();
}

// The type, which CheckSchema has found sound: a name, or a name and "null" in either order.
inline std::string_view TypeOf(const json::object& schema) {
  const json::value& type = schema.at("type");
  if (type.is_string()) {
    return View(type.get_string());
  }
  const json::array& names = type.get_array();
  const std::string_view first = View(names[0].get_string());
  return first == "null" ? View(names[1].get_string()) : first;
}

}  // namespace voicebridge::worker
