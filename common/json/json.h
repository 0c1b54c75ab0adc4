// The one way JSON is read and written: Boost.JSON, with errors that name the field.
#pragma once

#include <absl/status/statusor.h>

#include <boost/json/object.hpp>
#include <boost/json/serialize.hpp>
#include <boost/json/value.hpp>
#include <optional>
#include <string>
#include <string_view>

namespace voicebridge {

namespace json = boost::json;

// INVALID_ARGUMENT says what was expected and where parsing stopped. Depth is limited to 32.
absl::StatusOr<json::object> ParseObject(std::string_view text);

// Members by name, when present and of that type; null counts as absent.
const json::string* FindString(const json::object& object, std::string_view key);
const json::object* FindObject(const json::object& object, std::string_view key);
const json::array* FindArray(const json::object& object, std::string_view key);
std::optional<std::int64_t> FindInteger(const json::object& object, std::string_view key);
std::optional<bool> FindBool(const json::object& object, std::string_view key);

// The string member, or "" when there is none.
std::string_view StringOr(const json::object& object, std::string_view key,
                          std::string_view otherwise = "");

// The value at a path such as "audio.output.voice"; null when any step is missing.
const json::value* FindPath(const json::object& object, std::string_view dotted_path);

inline std::string_view View(const json::string& text) { return {text.data(), text.size()}; }

}  // namespace voicebridge
