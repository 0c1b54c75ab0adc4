#include "tests/simulator/json_sample.h"

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <utility>

#include "common/core/status.h"

namespace voicebridge::simulator {
namespace {

constexpr int kDepthMax = 12;
constexpr double kBeyond = 1000;

std::string TypeOf(const json::object& schema) {
  if (const json::array* types = FindArray(schema, "type")) {
    for (const json::value& type : *types) {
      if (type.is_string() && type != "null") {
        return std::string(View(type.get_string()));
      }
    }
  }
  return std::string(StringOr(schema, "type", schema.contains("properties") ? "object" : "string"));
}

std::optional<double> NumberIn(const json::object& schema, std::string_view key) {
  const json::value* value = schema.if_contains(key);
  return value != nullptr && value->is_number() ? std::optional(value->to_number<double>())
                                                : std::nullopt;
}

std::size_t CountIn(const json::object& schema, std::string_view key, std::size_t otherwise) {
  return static_cast<std::size_t>(
      std::max(0.0, NumberIn(schema, key).value_or(static_cast<double>(otherwise))));
}

// Walks a schema. Refers to its root, for $ref.
class Sampler {
 public:
  Sampler(const json::object& root, SampleKind kind) : root_(root), kind_(kind) {}

  json::value Value(const json::object& schema, std::string_view name, int depth) const;

 private:
  bool plausible() const { return kind_ == SampleKind::kPlausible; }
  const json::object& Resolve(const json::object& schema) const;
  json::value Object(const json::object& schema, int depth) const;
  json::value Array(const json::object& schema, std::string_view name, int depth) const;
  json::value Number(const json::object& schema, bool integer) const;
  json::value Text(const json::object& schema, std::string_view name) const;

  const json::object& root_;
  const SampleKind kind_;
};

const json::object& Sampler::Resolve(const json::object& schema) const {
  static constexpr std::string_view kDefinitions = "#/$defs/";
  const std::string_view reference = StringOr(schema, "$ref");
  if (reference == "#") {
    return root_;
  }
  const json::object* definitions = FindObject(root_, "$defs");
  if (reference.starts_with(kDefinitions) && definitions != nullptr) {
    const json::object* found = FindObject(*definitions, reference.substr(kDefinitions.size()));
    return found == nullptr ? schema : *found;
  }
  const json::array* choices = FindArray(schema, "anyOf");
  const auto is_value = [](const json::value& choice) {
    return choice.is_object() && StringOr(choice.get_object(), "type") != "null";
  };
  if (choices == nullptr) {
    return schema;
  }
  const auto* first = std::find_if(choices->begin(), choices->end(), is_value);
  return first == choices->end() ? schema : first->get_object();
}

json::value Sampler::Value(const json::object& unresolved, std::string_view name, int depth) const {
  const json::object& schema = Resolve(unresolved);
  if (depth > kDepthMax) {
    return nullptr;
  }
  if (&schema != &unresolved) {
    return Value(schema, name, depth + 1);
  }
  if (const json::value* constant = schema.if_contains("const")) {
    return plausible() ? *constant : json::value("out_of_range");
  }
  const json::array* values = FindArray(schema, "enum");
  if (values != nullptr && !values->empty()) {
    return plausible() ? (*values)[values->size() / 2] : json::value("out_of_range");
  }
  const std::string type = TypeOf(schema);
  if (type == "object") {
    return Object(schema, depth);
  }
  if (type == "array") {
    return Array(schema, name, depth);
  }
  if (type == "integer" || type == "number") {
    return Number(schema, type == "integer");
  }
  return type == "boolean" ? json::value(true) : Text(schema, name);
}

json::value Sampler::Object(const json::object& schema, int depth) const {
  json::object object;
  const json::object* properties = FindObject(schema, "properties");
  if (properties == nullptr) {
    return object;
  }
  for (const auto& [key, property] : *properties) {
    if (property.is_object()) {
      object[key] = Value(property.get_object(), key, depth + 1);
    }
  }
  return object;
}

json::value Sampler::Array(const json::object& schema, std::string_view name, int depth) const {
  json::array array;
  const json::object* items = FindObject(schema, "items");
  const std::size_t most = CountIn(schema, "maxItems", depth < kDepthMax / 2 ? 2 : 0);
  const std::size_t count =
      std::max(CountIn(schema, "minItems", 0), std::min<std::size_t>(most, 2));
  for (std::size_t index = 0; items != nullptr && index < count; ++index) {
    array.push_back(Value(*items, name, depth + 1));
  }
  return array;
}

// In the middle of what is allowed, or far beyond it.
json::value Sampler::Number(const json::object& schema, bool integer) const {
  const auto low = NumberIn(schema, "minimum");
  const auto above = NumberIn(schema, "exclusiveMinimum");
  const auto high = NumberIn(schema, "maximum");
  const auto below = NumberIn(schema, "exclusiveMaximum");
  const double least = low.value_or(above ? *above + (integer ? 1 : 0.001) : 0);
  const double most = high.value_or(below ? *below - (integer ? 1 : 0.001) : least + 2);
  double number = (least + most) / 2;
  if (!plausible()) {
    number = high || below || !(low || above) ? most + kBeyond : least - kBeyond;
  }
  if (const auto step = NumberIn(schema, "multipleOf"); step && *step > 0) {
    number = std::floor(number / *step) * *step;
  }
  return integer ? json::value(static_cast<std::int64_t>(std::floor(number))) : json::value(number);
}

json::value Sampler::Text(const json::object& schema, std::string_view name) const {
  const std::string_view format = StringOr(schema, "format");
  if (plausible() && format == "date-time") {
    return "2026-01-02T03:04:05Z";
  }
  if (plausible() && format == "date") {
    return "2026-01-02";
  }
  std::string text = fmt::format("This is the {} of a simulated report.", name);
  std::replace(text.begin(), text.end(), '_', ' ');
  const std::size_t most = CountIn(schema, "maxLength", 100'000);
  std::size_t least = CountIn(schema, "minLength", 0);
  if (!plausible() && schema.contains("maxLength")) {
    least = most + 1;
  }
  while (text.size() < least) {
    text += " It goes on.";
  }
  return json::value(plausible() ? text.substr(0, most) : text);
}

Refusal InvalidSchema(const std::string& path, std::string_view what) {
  return {"invalid_json_schema",
          fmt::format("Invalid schema for response_format: In context={}, {}.", path, what),
          "text.format.schema"};
}

bool Lists(const json::object& schema, std::string_view property) {
  const json::array* required = FindArray(schema, "required");
  return required != nullptr &&
         std::find(required->begin(), required->end(), json::value(property)) != required->end();
}

std::optional<Refusal> CheckObjectSchema(const json::object& schema, const std::string& path) {
  if (FindBool(schema, "additionalProperties") != false) {
    return InvalidSchema(path, "'additionalProperties' is required to be supplied and to be false");
  }
  const json::object* properties = FindObject(schema, "properties");
  if (properties == nullptr) {
    return InvalidSchema(path, "'properties' is required");
  }
  for (const auto& [key, value] : *properties) {
    const std::string_view name(key.data(), key.size());
    if (!Lists(schema, name)) {
      return InvalidSchema(
          path, fmt::format("'required' is required to name every property; missing '{}'", name));
    }
  }
  return std::nullopt;
}

std::optional<Refusal> CheckEach(const json::object& schemas, const std::string& path) {
  for (const auto& [key, value] : schemas) {
    const std::string inner = fmt::format("{}.{}", path, std::string_view(key.data(), key.size()));
    if (!value.is_object()) {
      return InvalidSchema(inner, "a schema is an object");
    }
    if (auto refusal = CheckStrictSchema(value.get_object(), inner)) {
      return refusal;
    }
  }
  return std::nullopt;
}

}  // namespace

json::value SampleOf(const json::object& schema, SampleKind kind) {
  return Sampler(schema, kind).Value(schema, "text", 0);
}

std::optional<Refusal> CheckStrictSchema(const json::object& schema, const std::string& path) {
  if (TypeOf(schema) == "object" && !schema.contains("$ref") && !schema.contains("anyOf")) {
    if (auto refusal = CheckObjectSchema(schema, path)) {
      return refusal;
    }
  }
  for (const std::string_view group : {"properties", "$defs"}) {
    if (const json::object* schemas = FindObject(schema, group)) {
      if (auto refusal = CheckEach(*schemas, fmt::format("{}.{}", path, group))) {
        return refusal;
      }
    }
  }
  const json::object* items = FindObject(schema, "items");
  return items == nullptr ? std::nullopt : CheckStrictSchema(*items, path + ".items");
}

}  // namespace voicebridge::simulator
