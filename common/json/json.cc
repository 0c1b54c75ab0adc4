#include "common/json/json.h"

#include <boost/json/error.hpp>
#include <boost/json/stream_parser.hpp>

#include "common/core/status.h"

namespace voicebridge {

absl::StatusOr<json::object> ParseObject(std::string_view text) {
  boost::system::error_code error;
  json::stream_parser parser;
  const std::size_t parsed = parser.write_some(text.data(), text.size(), error);
  if (!error && parsed < text.size()) {
    error = json::error::extra_data;
  }
  if (!error) {
    parser.finish(error);
  }
  if (error) {
    return InvalidArgument("not valid JSON: {} at byte {}", error.message(), parsed);
  }
  json::value value = parser.release();
  if (!value.is_object()) {
    return InvalidArgument("expected a JSON object");
  }
  return std::move(value.get_object());
}

const json::string* FindString(const json::object& object, std::string_view key) {
  const json::value* value = object.if_contains(key);
  return value == nullptr ? nullptr : value->if_string();
}

const json::object* FindObject(const json::object& object, std::string_view key) {
  const json::value* value = object.if_contains(key);
  return value == nullptr ? nullptr : value->if_object();
}

const json::array* FindArray(const json::object& object, std::string_view key) {
  const json::value* value = object.if_contains(key);
  return value == nullptr ? nullptr : value->if_array();
}

std::optional<std::int64_t> FindInteger(const json::object& object, std::string_view key) {
  const json::value* value = object.if_contains(key);
  if (value == nullptr) {
    return std::nullopt;
  }
  boost::system::error_code error;
  const auto number = value->to_number<std::int64_t>(error);
  return error ? std::nullopt : std::optional<std::int64_t>(number);
}

std::optional<bool> FindBool(const json::object& object, std::string_view key) {
  const json::value* value = object.if_contains(key);
  return value != nullptr && value->is_bool() ? std::optional<bool>(value->get_bool())
                                              : std::nullopt;
}

std::string_view StringOr(const json::object& object, std::string_view key,
                          std::string_view otherwise) {
  const json::string* text = FindString(object, key);
  return text == nullptr ? otherwise : View(*text);
}

const json::value* FindPath(const json::object& object, std::string_view dotted_path) {
  const json::object* current = &object;
  while (true) {
    const std::size_t dot = dotted_path.find('.');
    const json::value* value = current->if_contains(dotted_path.substr(0, dot));
    if (value == nullptr || dot == std::string_view::npos) {
      return value;
    }
    current = value->if_object();
    if (current == nullptr) {
      return nullptr;
    }
    dotted_path.remove_prefix(dot + 1);
  }
}

}  // namespace voicebridge
