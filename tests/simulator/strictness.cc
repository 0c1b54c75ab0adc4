#include "tests/simulator/strictness.h"

#include <map>
#include <string>
#include <utility>
#include <vector>

#include "common/core/status.h"
#include "tests/simulator/schema.h"

namespace voicebridge::simulator {
namespace {

// An append carries at most 15 MiB of audio.
constexpr std::size_t kAudioTextMax = 21U << 20U;
constexpr std::size_t kTextMax = 1U << 20U;
constexpr double kMillisecondsMax = 1e9;

// The order of the live service's own list.
const std::vector<std::string>& EventTypes() {
  static const std::vector<std::string> types = {"session.update",
                                                 "session.close",
                                                 "input_audio_buffer.append",
                                                 "session.input_audio_buffer.append",
                                                 "input_audio_buffer.commit",
                                                 "input_audio_buffer.clear",
                                                 "conversation.item.create",
                                                 "conversation.item.truncate",
                                                 "conversation.item.delete",
                                                 "conversation.item.retrieve",
                                                 "response.create",
                                                 "response.cancel"};
  return types;
}

Schema Format() {
  return Tagged("type", {Optional("audio/pcm", Object({Required("type", String()),
                                                       Optional("rate", Integer(24000, 24000))})),
                         Optional("audio/pcmu", Object({Required("type", String())})),
                         Optional("audio/pcma", Object({Required("type", String())}))});
}

Schema Voice() {
  return OneOf({Enum({"alloy", "ash", "ballad", "coral", "echo", "sage", "shimmer", "verse",
                      "marin", "cedar"}),
                Object({Required("id", String(256))})});
}

Schema TurnDetection() {
  const Schema server =
      Object({Required("type", String()), Optional("threshold", Number(0, 1)),
              Optional("prefix_padding_ms", Integer(0, 60'000)),
              Optional("silence_duration_ms", Integer(0, 60'000)),
              Optional("idle_timeout_ms", OrNull(Integer(0, 600'000))),
              Optional("create_response", Bool()), Optional("interrupt_response", Bool())});
  const Schema semantic = Object(
      {Required("type", String()), Optional("eagerness", Enum({"low", "medium", "high", "auto"})),
       Optional("create_response", Bool()), Optional("interrupt_response", Bool())});
  return OrNull(
      Tagged("type", {Optional("server_vad", server), Optional("semantic_vad", semantic)}));
}

Schema Transcription() {
  return OrNull(
      Object({Optional("model", String(256)), Optional("language", String(64)),
              Optional("languages", Array(String(64))), Optional("prompt", String(kTextMax)),
              Optional("keywords", Array(String(256))),
              Optional("delay", Enum({"minimal", "low", "medium", "high", "xhigh"}))}));
}

Schema Tool() {
  const Schema function =
      Object({Required("type", String()), Required("name", String(64)),
              Optional("description", String(kTextMax)), Optional("parameters", AnyObject())});
  const Schema mcp = Object(
      {Required("type", String()), Required("server_label", String(256)),
       Optional("server_url", String(4096)), Optional("server_description", String(kTextMax)),
       Optional("connector_id", String(256)), Optional("authorization", String(4096)),
       Optional("headers", Any()), Optional("allowed_tools", Any()),
       Optional("require_approval", Any()), Optional("defer_loading", Bool())});
  return Tagged("type", {Optional("function", function), Optional("mcp", mcp)});
}

Schema ToolChoice() {
  const Schema function = Object({Required("type", String()), Required("name", String(64))});
  const Schema mcp = Object({Required("type", String()), Required("server_label", String(256)),
                             Optional("name", OrNull(String(256)))});
  return OneOf({Enum({"auto", "none", "required"}),
                Tagged("type", {Optional("function", function), Optional("mcp", mcp)})});
}

Schema Reasoning() {
  return OrNull(Object({Optional("effort", Enum({"minimal", "low", "medium", "high", "xhigh"}))}));
}

Schema MaxOutputTokens() { return OneOf({Integer(1, 4096), Enum({"inf"})}); }

Schema OutputModalities() { return Array(Enum({"audio", "text"})); }

Schema AudioInput() {
  const Schema noise_reduction = OrNull(
      Object({Required("type", Enum({"near_field", "far_field"})), Optional("strength", Any())}));
  return Object({Optional("format", Format()), Optional("noise_reduction", noise_reduction),
                 Optional("transcription", Transcription()),
                 Optional("turn_detection", TurnDetection())});
}

Schema AudioOutput() {
  return Object({Optional("format", Format()), Optional("voice", Voice()),
                 Optional("speed", Number(0.25, 1.5))});
}

Schema Truncation() {
  return OneOf({Enum({"auto", "disabled"}), Object({Required("type", Enum({"retention_ratio"})),
                                                    Required("retention_ratio", Number(0, 1)),
                                                    Optional("token_limits", Any())})});
}

Schema Session() {
  const Schema tracing = OrNull(OneOf(
      {Enum({"auto"}), Object({Optional("workflow_name", String(1024)),
                               Optional("group_id", String(1024)), Optional("metadata", Any())})}));
  const Schema realtime = Object(
      {Required("type", String()), Optional("model", String(256)),
       Optional("instructions", String(kTextMax)),
       Optional("output_modalities", OutputModalities()),
       Optional("audio",
                Object({Optional("input", AudioInput()), Optional("output", AudioOutput())})),
       Optional("tools", Array(Tool())), Optional("tool_choice", ToolChoice()),
       Optional("parallel_tool_calls", Bool()), Optional("reasoning", Reasoning()),
       Optional("max_output_tokens", MaxOutputTokens()), Optional("truncation", Truncation()),
       Optional("tracing", tracing), Optional("prompt", OrNull(Any())),
       Optional("include", OrNull(Array(Enum({"item.input_audio_transcription.logprobs"}))))});
  return Tagged("type", {Optional("realtime", realtime), Optional("transcription", Any())});
}

Schema Part(std::vector<Member> fields) {
  fields.push_back(Required("type", String()));
  return Object(std::move(fields));
}

Schema Message(const Schema& parts) {
  return Object({Required("type", String()), Required("role", String()),
                 Required("content", Array(parts)), Optional("id", String(64)),
                 Optional("object", Enum({"realtime.item"})), Optional("status", Any()),
                 Optional("phase", Any())});
}

Schema MessageByRole() {
  const Schema text = Part({Required("text", String(kTextMax))});
  const Schema audio =
      Part({Required("audio", String(kAudioTextMax)), Optional("transcript", OrNull(String()))});
  const Schema image =
      Part({Required("image_url", String(kAudioTextMax)), Optional("detail", String())});
  const Schema user = Tagged("type", {Optional("input_text", text), Optional("input_audio", audio),
                                      Optional("input_image", image)});
  // Audio of the assistant is taken for a part whose text is missing.
  const Schema assistant = Tagged(
      "type",
      {Optional("output_text", text), Optional("output_audio", text), Optional("audio", text)});
  return Tagged("role",
                {Optional("system", Message(Tagged("type", {Optional("input_text", text)}))),
                 Optional("user", Message(user)), Optional("assistant", Message(assistant))});
}

Schema ItemWith(std::vector<Member> fields) {
  fields.push_back(Required("type", String()));
  fields.push_back(Optional("id", String(64)));
  fields.push_back(Optional("object", Enum({"realtime.item"})));
  fields.push_back(Optional("status", Any()));
  return Object(std::move(fields));
}

Schema ItemSchema(bool with_references) {
  std::vector<Member> variants = {
      Optional("message", MessageByRole()),
      Optional("function_call",
               ItemWith({Required("name", String(64)), Required("arguments", String(kTextMax)),
                         Optional("call_id", String(32))})),
      Optional("function_call_output",
               ItemWith({Required("call_id", String(32)), Required("output", String(kTextMax))})),
      Optional("mcp_approval_response",
               ItemWith({Required("approval_request_id", String(256)), Required("approve", Bool()),
                         Optional("reason", OrNull(String()))}))};
  if (with_references) {
    variants.push_back(Optional("item_reference",
                                Object({Required("type", String()), Required("id", String(64))})));
  }
  return Tagged("type", std::move(variants));
}

Schema Response() {
  const Schema audio = Object(
      {Optional("output", Object({Optional("format", Format()), Optional("voice", Voice())}))});
  return Object({Optional("instructions", String(kTextMax)),
                 Optional("output_modalities", OutputModalities()), Optional("audio", audio),
                 Optional("tools", Array(Tool())), Optional("tool_choice", ToolChoice()),
                 Optional("parallel_tool_calls", Bool()), Optional("reasoning", Reasoning()),
                 Optional("max_output_tokens", MaxOutputTokens()),
                 Optional("metadata", OrNull(Strings(16, 512))), Optional("prompt", OrNull(Any())),
                 Optional("conversation", Enum({"auto", "none"})),
                 Optional("input", Array(ItemSchema(true)))});
}

Schema Event(std::vector<Member> fields) {
  fields.push_back(Required("type", String()));
  fields.push_back(Optional("event_id", OrNull(String(512))));
  return Object(std::move(fields));
}

const std::map<std::string, Schema, std::less<>>& EventSchemas() {
  static const std::map<std::string, Schema, std::less<>> schemas = {
      {"session.update", Event({Required("session", Session())})},
      {"session.close", Event({})},
      {"input_audio_buffer.append", Event({Required("audio", String(kAudioTextMax))})},
      {"input_audio_buffer.commit", Event({})},
      {"input_audio_buffer.clear", Event({})},
      {"conversation.item.create", Event({Required("item", ItemSchema(false)),
                                          Optional("previous_item_id", OrNull(String(64)))})},
      {"conversation.item.truncate",
       Event({Required("item_id", String(64)), Required("content_index", Integer(0, 1000)),
              Required("audio_end_ms", Integer(0, kMillisecondsMax))})},
      {"conversation.item.delete", Event({Required("item_id", String(64))})},
      {"conversation.item.retrieve", Event({Required("item_id", String(64))})},
      {"response.create", Event({Optional("response", OrNull(Response()))})},
      {"response.cancel", Event({Optional("response_id", OrNull(String(64)))})}};
  return schemas;
}

}  // namespace

std::optional<Refusal> CheckClientEvent(const json::object& event) {
  const json::value* type = event.if_contains("type");
  if (type == nullptr) {
    return Refusal{"invalid_event", "The 'type' field is missing."};
  }
  if (auto refusal = Check(String(), *type, "type")) {
    return refusal;
  }
  const std::string_view name = View(type->get_string());
  const auto schema = EventSchemas().find(name);
  if (schema == EventSchemas().end()) {
    return Refusal{
        "invalid_value",
        fmt::format("Invalid value: '{}'. Supported values are: {}.", name, ListOf(EventTypes())),
        "type"};
  }
  return Check(schema->second, event, "");
}

bool IsClientEventType(std::string_view type) { return EventSchemas().contains(type); }

bool IsRealtimeModel(std::string_view model) {
  return model.starts_with("gpt-realtime") || model.starts_with("gpt-4o-realtime-preview") ||
         model.starts_with("gpt-4o-mini-realtime-preview") || model.starts_with("gpt-audio");
}

bool IsReasoningModel(std::string_view model) {
  return model.starts_with("gpt-realtime-2") && !model.starts_with("gpt-realtime-2025");
}

}  // namespace voicebridge::simulator
