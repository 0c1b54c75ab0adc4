#include <algorithm>
#include <cmath>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "bridge_worker/interview/report_schema.h"
#include "bridge_worker/interview/schema_node.h"
#include "common/core/status.h"

namespace voicebridge::worker {
namespace {

std::string Named(const std::string& place) { return place.empty() ? "the report" : place; }

class Checker {
 public:
  absl::StatusOr<json::value> Check(const json::object& schema, const json::value& value,
                                    const std::string& place) {
    const std::string_view type = TypeOf(schema);
    if (value.is_null() && schema.at("type").is_array()) {
      return value;
    }
    if (!HasType(value, type)) {
      return InvalidArgument("{}: expected type {}", Named(place), type);
    }
    if (absl::Status status = CheckEnumerated(schema, value, place); !status.ok()) {
      return status;
    }
    if (type == "object") {
      return CheckMembers(schema, value.get_object(), place);
    }
    if (type == "array") {
      return CheckElements(schema, value.get_array(), place);
    }
    if (absl::Status status = CheckSize(schema, value, place); !status.ok()) {
      return status;
    }
    return value;
  }

 private:
  static bool HasType(const json::value& value, std::string_view type) {
    if (type == "object") {
      return value.is_object();
    }
    if (type == "array") {
      return value.is_array();
    }
    if (type == "string") {
      return value.is_string();
    }
    if (type == "boolean") {
      return value.is_bool();
    }
    if (!value.is_number()) {
      return false;
    }
    const double number = value.to_number<double>();
    return type == "number" || std::trunc(number) == number;
  }

  static absl::Status CheckEnumerated(const json::object& schema, const json::value& value,
                                      const std::string& place) {
    const json::array* values = FindArray(schema, "enum");
    if (values == nullptr || std::find(values->begin(), values->end(), value) != values->end()) {
      return absl::OkStatus();
    }
    return InvalidArgument("{}: expected one of {}", Named(place), json::serialize(*values));
  }

  static absl::Status CheckRange(const json::object& schema, double number, std::string_view low,
                                 std::string_view high, std::string_view unit,
                                 const std::string& place) {
    const std::optional<double> least = FindNumber(schema, low);
    const std::optional<double> most = FindNumber(schema, high);
    if (least && number < *least) {
      return InvalidArgument("{}: expected at least {}{}", Named(place), *least, unit);
    }
    if (most && number > *most) {
      return InvalidArgument("{}: expected at most {}{}", Named(place), *most, unit);
    }
    return absl::OkStatus();
  }

  static absl::Status CheckSize(const json::object& schema, const json::value& value,
                                const std::string& place) {
    if (value.is_string()) {
      const json::string& text = value.get_string();
      const auto characters = std::count_if(text.begin(), text.end(), [](char byte) {
        return (static_cast<unsigned char>(byte) & 0xC0U) != 0x80;
      });
      return CheckRange(schema, static_cast<double>(characters), "minLength", "maxLength",
                        " characters", place);
    }
    return value.is_number()
               ? CheckRange(schema, value.to_number<double>(), "minimum", "maximum", "", place)
               : absl::OkStatus();
  }

  absl::StatusOr<json::value> CheckMembers(const json::object& schema, const json::object& object,
                                           const std::string& place) {
    const json::object& properties = schema.at("properties").get_object();
    json::object ordered;
    for (const auto& property : properties) {
      const std::string inner = Join(place, property.key());
      const json::value* member = object.if_contains(property.key());
      if (member == nullptr) {
        return InvalidArgument("{}: expected, and missing", inner);
      }
      absl::StatusOr<json::value> checked = Check(property.value().get_object(), *member, inner);
      if (!checked.ok()) {
        return checked.status();
      }
      ordered[property.key()] = *std::move(checked);
    }
    if (object.size() != properties.size()) {
      // Not by name: that would be the model's text.
      return InvalidArgument("{}: expected no members other than those of the schema",
                             Named(place));
    }
    return ordered;
  }

  absl::StatusOr<json::value> CheckElements(const json::object& schema, const json::array& array,
                                            const std::string& place) {
    if (absl::Status status = CheckRange(schema, static_cast<double>(array.size()), "minItems",
                                         "maxItems", " items", place);
        !status.ok()) {
      return status;
    }
    json::array elements;
    for (std::size_t i = 0; i < array.size(); ++i) {
      absl::StatusOr<json::value> checked =
          Check(schema.at("items").get_object(), array[i], fmt::format("{}[{}]", place, i));
      if (!checked.ok()) {
        return checked.status();
      }
      elements.push_back(*std::move(checked));
    }
    return elements;
  }
};

}  // namespace

absl::StatusOr<json::value> CheckAgainst(const json::object& schema, const json::value& value) {
  return Checker().Check(schema, value, "");
}

}  // namespace voicebridge::worker
