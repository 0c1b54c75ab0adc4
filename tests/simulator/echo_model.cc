#include "tests/simulator/echo_model.h"

#include <utility>

#include "tests/simulator/strictness.h"

namespace voicebridge::simulator {
namespace {

constexpr std::string_view kAppend = "input_audio_buffer.append";

// The audio of an append without white space; nullopt: something else, or spelt otherwise.
std::optional<std::string_view> AudioOf(std::string_view message) {
  static constexpr std::string_view kType = R"("type":"input_audio_buffer.append")";
  static constexpr std::string_view kAudio = R"("audio":")";
  const std::size_t key = message.find(kAudio);
  if (key == std::string_view::npos) {
    return std::nullopt;
  }
  const std::size_t begin = key + kAudio.size();
  const std::size_t end = message.find('"', begin);
  if (end == std::string_view::npos) {
    return std::nullopt;
  }
  const bool append = message.substr(0, key).find(kType) != std::string_view::npos ||
                      message.substr(end).find(kType) != std::string_view::npos;
  return append ? std::optional(message.substr(begin, end - begin)) : std::nullopt;
}

std::size_t BytesOfBase64(std::string_view text) {
  const std::size_t padding = text.ends_with("==") ? 2 : text.ends_with('=') ? 1 : 0;
  return text.size() / 4 * 3 - padding;
}

}  // namespace

EchoModel::EchoModel(ModelOptions options, SessionRecord& record)
    : options_(std::move(options)),
      record_(record),
      ids_(options_.id_seed),
      sink_(record_, ids_),
      config_(options_.session_id, options_.model, options_.unix_now + 3600) {}

Effects EchoModel::Start(TimePoint) {
  sink_.Send("session.created", {{"session", config_.value()}});
  return sink_.Take();
}

Effects EchoModel::HandleText(std::string_view message, TimePoint) {
  if (const auto audio = AudioOf(message)) {
    record_.CountReceived(kAppend);
    Echo(*audio);
  } else {
    HandleOther(message);
  }
  return sink_.Take();
}

Effects EchoModel::HandleBinary(TimePoint) {
  record_.CountReceived("binary");
  record_.AddRefusal("binary", {"invalid_event", "binary frame"});
  return {};
}

Effects EchoModel::HandleSpeech(std::uint64_t, std::string, TimePoint) { return {}; }

Effects EchoModel::HandleTime(TimePoint) { return {}; }

Effects EchoModel::BeginFlood() {
  Begin();
  return sink_.Take();
}

Effects EchoModel::FloodMore() {
  static const std::string silence(32'000, 'A');
  response_->SendDelta(sink_, record_, silence, BytesOfBase64(silence));
  return sink_.Take();
}

void EchoModel::Echo(std::string_view audio) {
  const std::size_t bytes = BytesOfBase64(audio);
  record_.CountAppendedBytes(bytes);
  Begin();
  response_->SendDelta(sink_, record_, audio, bytes);
}

void EchoModel::Begin() {
  if (response_) {
    return;
  }
  ResponseSettings settings;
  settings.id = ids_.Next("resp");
  settings.conversation_id = ids_.Next("conv");
  settings.voice = config_.voice();
  response_.emplace(std::move(settings), ids_.Next("item"));
  response_->Begin(sink_, record_);
}

void EchoModel::HandleOther(std::string_view message) {
  const auto event = ParseObject(message);
  const std::string_view type = event.ok() ? StringOr(*event, "type") : "";
  record_.CountReceived(IsClientEventType(type) ? type : "other");
  const auto refusal = event.ok()
                           ? CheckClientEvent(*event)
                           : Refusal{"invalid_json", "Invalid event: failed to parse JSON value. "};
  if (refusal) {
    record_.AddRefusal(type, *refusal);
    json::object error = {{"type", "invalid_request_error"},
                          {"code", refusal->code},
                          {"message", refusal->message},
                          {"param", IdOrNull(refusal->param)},
                          {"event_id", nullptr}};
    sink_.Send("error", {{"error", std::move(error)}});
  } else if (type == "session.update") {
    config_.Merge(*FindObject(*event, "session"));
    sink_.Send("session.updated", {{"session", config_.value()}});
  } else if (type == kAppend) {
    Echo(StringOr(*event, "audio"));
  }
}

}  // namespace voicebridge::simulator
