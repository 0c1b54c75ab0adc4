#include "tests/load/echo_session.h"

#include <fmt/format.h>

#include <iterator>
#include <optional>

#include "common/core/status.h"
#include "common/json/json.h"
#include "tests/load/messages.h"
#include "tests/load/upgrade.h"

namespace voicebridge::load {

EchoSession::EchoSession(EventLoop& loop, std::uint64_t number, int fd, bool& ended)
    : ended_(ended), number_(number), peer_(loop, Peer::Side::kServer, *this) {
  peer_.Open(fd);
}

bool EchoSession::OnHead(std::string_view head) {
  const auto answer = AnswerUpgrade(head);
  if (!answer.ok()) {
    peer_.SendHead("HTTP/1.1 400 Bad Request\r\nConnection: close\r\nContent-Length: 0\r\n\r\n");
    peer_.Close();
    ended_ = true;
    return false;
  }
  peer_.SendHead(*answer);
  peer_.Send(Opcode::kText,
             fmt::format(R"({{"type":"session.created","event_id":"{}","session":{{)"
                         R"("type":"realtime","object":"realtime.session","id":"sess_{}",)"
                         R"("model":"echo"}}}})",
                         NextEventId(), number_));
  return true;
}

void EchoSession::OnMessage(Opcode opcode, std::string_view payload) {
  const auto audio =
      opcode == Opcode::kText ? FindAppendedAudio(payload) : std::optional<std::string_view>();
  if (audio) {
    Echo(*audio);
  } else {
    HandleOther(payload);
  }
}

void EchoSession::Echo(std::string_view base64) {
  if (delta_tail_.empty()) {
    BeginResponse();
  }
  message_.clear();
  fmt::format_to(std::back_inserter(message_),
                 R"({{"type":"response.output_audio.delta","event_id":"event_{}_{}")", number_,
                 ++last_event_);
  message_ += delta_tail_;
  message_ += base64;
  message_ += "\"}";
  peer_.Send(Opcode::kText, message_);
}

// What OpenAI sends before the first audio of a response.
void EchoSession::BeginResponse() {
  const std::string response = fmt::format("resp_{}", number_);
  const std::string item = fmt::format(
      R"({{"id":"item_{}","object":"realtime.item","type":"message","status":"in_progress",)"
      R"("role":"assistant","content":[]}})",
      number_);
  const std::string place =
      fmt::format(R"("response_id":"{}","item_id":"item_{}","output_index":0,"content_index":0)",
                  response, number_);
  peer_.Send(Opcode::kText,
             fmt::format(R"({{"type":"response.created","event_id":"{}","response":{{"id":"{}",)"
                         R"("object":"realtime.response","status":"in_progress",)"
                         R"("conversation_id":"conv_{}","output":[]}}}})",
                         NextEventId(), response, number_));
  peer_.Send(Opcode::kText, fmt::format(R"({{"type":"response.output_item.added","event_id":"{}",)"
                                        R"("response_id":"{}","output_index":0,"item":{}}})",
                                        NextEventId(), response, item));
  peer_.Send(Opcode::kText, fmt::format(R"({{"type":"conversation.item.added","event_id":"{}",)"
                                        R"("previous_item_id":null,"item":{}}})",
                                        NextEventId(), item));
  peer_.Send(Opcode::kText, fmt::format(R"({{"type":"response.content_part.added",)"
                                        R"("event_id":"{}",{},"part":{{"type":"audio",)"
                                        R"("transcript":""}}}})",
                                        NextEventId(), place));
  delta_tail_ = fmt::format(R"(,{},"delta":")", place);
}

// A session.update is confirmed as it was asked for.
void EchoSession::HandleOther(std::string_view text) {
  const auto event = ParseObject(text);
  if (!event.ok() || StringOr(*event, "type") != "session.update") {
    return;
  }
  const json::object* session = FindObject(*event, "session");
  peer_.Send(Opcode::kText,
             fmt::format(R"({{"type":"session.updated","event_id":"{}","session":{}}})",
                         NextEventId(), session == nullptr ? "{}" : json::serialize(*session)));
}

std::string EchoSession::NextEventId() {
  return fmt::format("event_{}_{}", number_, ++last_event_);
}

}  // namespace voicebridge::load
