#include "tests/load/json_text.h"

#include <fmt/format.h>

#include "common/json/escape.h"

namespace voicebridge::load {

void JsonText::Name(std::string_view name) {
  members_ += members_.empty() ? "" : ",";
  AppendJsonString(name, members_);
  members_ += ':';
}

JsonText& JsonText::Text(std::string_view name, std::string_view value) {
  return Raw(name, JsonString(value));
}

JsonText& JsonText::Count(std::string_view name, std::uint64_t value) {
  return Raw(name, fmt::to_string(value));
}

JsonText& JsonText::Number(std::string_view name, double value) {
  return Raw(name, fmt::format("{:.3f}", value));
}

JsonText& JsonText::Milliseconds(std::string_view name, Duration value) {
  return Number(name, ToSeconds(value) * 1000);
}

JsonText& JsonText::Flag(std::string_view name, bool value) {
  return Raw(name, value ? "true" : "false");
}

JsonText& JsonText::Raw(std::string_view name, std::string_view json) {
  Name(name);
  members_ += json;
  return *this;
}

std::string JsonArray(const std::vector<std::string>& elements) {
  return fmt::format("[{}]", fmt::join(elements, ","));
}

std::string JsonString(std::string_view text) {
  std::string json;
  AppendJsonString(text, json);
  return json;
}

}  // namespace voicebridge::load
