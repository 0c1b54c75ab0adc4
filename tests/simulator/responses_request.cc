#include "tests/simulator/responses_request.h"

#include <algorithm>
#include <utility>

#include "common/core/status.h"
#include "tests/simulator/digest.h"
#include "tests/simulator/json_sample.h"
#include "tests/simulator/schema.h"

namespace voicebridge::simulator {
namespace {

constexpr std::size_t kTextMax = 4U << 20U;

Schema Content() {
  const Schema text = Object({Required("type", String()), Required("text", String(kTextMax))});
  return OneOf({String(kTextMax), Array(Tagged("type", {Optional("input_text", text),
                                                        Optional("output_text", text)}))});
}

Schema Message() {
  return Object({Optional("type", Enum({"message"})),
                 Required("role", Enum({"user", "system", "developer", "assistant"})),
                 Required("content", Content())});
}

Schema Format() {
  const Schema plain = Object({Required("type", String())});
  const Schema json_schema =
      Object({Required("type", String()), Required("name", String(64)), Required("schema", Any()),
              Optional("description", String(kTextMax)), Optional("strict", OrNull(Bool()))});
  return Tagged("type", {Optional("text", plain), Optional("json_object", plain),
                         Optional("json_schema", json_schema)});
}

Schema Request() {
  const Schema text = Object({Optional("format", Format()),
                              Optional("verbosity", OrNull(Enum({"low", "medium", "high"})))});
  const Schema reasoning = Object(
      {Optional("effort", OrNull(Enum({"none", "minimal", "low", "medium", "high", "xhigh"}))),
       Optional("summary", OrNull(Enum({"auto", "concise", "detailed"})))});
  return Object(
      {Required("model", String(256)),
       Required("input", OneOf({String(kTextMax), Array(Message())})),
       Optional("instructions", OrNull(String(kTextMax))), Optional("stream", OrNull(Bool())),
       Optional("store", OrNull(Bool())), Optional("text", text),
       Optional("reasoning", OrNull(reasoning)),
       Optional("max_output_tokens", OrNull(Integer(16, 1'000'000))),
       Optional("metadata", OrNull(Strings(16, 512))),
       Optional("temperature", OrNull(Number(0, 2))), Optional("top_p", OrNull(Number(0, 1))),
       Optional("stream_options", OrNull(Object({Optional("include_obfuscation", Bool())}))),
       Optional("safety_identifier", String(64)), Optional("prompt_cache_key", String(256)),
       Optional("service_tier", OrNull(Enum({"auto", "default", "flex", "priority"}))),
       Optional("truncation", OrNull(Enum({"auto", "disabled"})))});
}

bool IsTextModel(std::string_view model) {
  return model.starts_with("gpt-") && model.find("realtime") == std::string_view::npos &&
         model.find("live") == std::string_view::npos;
}

void AppendText(const json::value& value, std::string& text) {
  if (value.is_string()) {
    text += text.empty() || text.ends_with('\n') ? "" : "\n";
    text += View(value.get_string());
  } else if (value.is_array()) {
    for (const json::value& element : value.get_array()) {
      AppendText(element, text);
    }
  } else if (value.is_object()) {
    for (const std::string_view key : {"content", "text"}) {
      if (const json::value* inner = value.get_object().if_contains(key)) {
        AppendText(*inner, text);
      }
    }
  }
}

std::string PromptOf(const ResponsesRequest& request) {
  const std::string whole =
      fmt::format("{}\n{}", StringOr(request.fields, "instructions"), request.input);
  return Digest::HexOf(whole).substr(0, 16);
}

bool IsName(std::string_view name) {
  return !name.empty() && std::all_of(name.begin(), name.end(), [](char letter) {
    return (letter >= 'a' && letter <= 'z') || (letter >= 'A' && letter <= 'Z') ||
           (letter >= '0' && letter <= '9') || letter == '_' || letter == '-';
  });
}

std::optional<Refusal> TakeFormat(ResponsesRequest& request) {
  const json::value* format = FindPath(request.fields, "text.format");
  if (format == nullptr || StringOr(format->get_object(), "type") != "json_schema") {
    return std::nullopt;
  }
  const json::object& object = format->get_object();
  request.format = std::string(StringOr(object, "name"));
  if (!IsName(request.format)) {
    return Refusal{"invalid_value", "Invalid 'text.format.name': expected letters, digits, _, -.",
                   "text.format.name"};
  }
  const json::object* schema = FindObject(object, "schema");
  if (schema == nullptr) {
    return Refusal{"invalid_type", "Invalid type for 'text.format.schema': expected an object.",
                   "text.format.schema"};
  }
  request.schema = *schema;
  if (FindBool(object, "strict") != true) {
    return std::nullopt;
  }
  if (StringOr(*schema, "type") != "object") {
    return Refusal{"invalid_json_schema",
                   "Invalid schema for response_format: schema must be a JSON Schema of 'type: "
                   "\"object\"'.",
                   "text.format.schema"};
  }
  return CheckStrictSchema(*schema, "()");
}

}  // namespace

std::variant<ResponsesRequest, ResponsesRefusal> ParseResponsesRequest(std::string_view body) {
  static const Schema schema = Request();
  auto fields = ParseObject(body);
  if (!fields.ok()) {
    return ResponsesRefusal{{"invalid_json", "We could not parse the JSON body of your request."}};
  }
  if (auto refusal = Check(schema, *fields, "")) {
    return ResponsesRefusal{*std::move(refusal)};
  }
  ResponsesRequest request;
  request.fields = *std::move(fields);
  request.model = std::string(StringOr(request.fields, "model"));
  request.stream = FindBool(request.fields, "stream").value_or(false);
  AppendText(request.fields.at("input"), request.input);
  request.prompt = PromptOf(request);
  if (!IsTextModel(request.model)) {
    return ResponsesRefusal{
        {"model_not_found",
         fmt::format("The model '{}' does not exist or you do not have access to it.",
                     request.model),
         "model"},
        404};
  }
  if (auto refusal = TakeFormat(request)) {
    return ResponsesRefusal{*std::move(refusal)};
  }
  return request;
}

}  // namespace voicebridge::simulator
