#include "tests/load/client_session.h"

#include <fmt/format.h>
#include <sys/socket.h>

#include <cerrno>
#include <cstring>
#include <random>
#include <utility>

#include "common/core/base64.h"
#include "common/core/status.h"
#include "common/json/json.h"
#include "tests/load/endpoint.h"

namespace voicebridge::load {
namespace {

std::string NewKey() {
  std::random_device random;
  std::string bytes;
  for (int i = 0; i < 4; ++i) {
    const std::uint32_t word = random();
    bytes.append(reinterpret_cast<const char*>(&word), sizeof(word));
  }
  std::string key;
  AppendBase64(bytes, key);
  return key;
}

// Why a session is over when the server says so by an event; empty: this event says nothing of it.
std::string FailureIn(std::string_view type, const json::object& event) {
  if (type == "error") {
    const json::object* error = FindObject(event, "error");
    return fmt::format("was told of the error \"{}\"",
                       error == nullptr ? "" : StringOr(*error, "message"));
  }
  if (type == "voicebridge.session.ended") {
    return fmt::format("was ended: {}", StringOr(event, "message", StringOr(event, "reason")));
  }
  return {};
}

}  // namespace

void ClientSession::Open(const Endpoint& endpoint, UpgradeRequest request) {
  request_ = std::move(request);
  request_.key = NewKey();
  request_.subprotocol = SubprotocolOf(wire_);
  const int fd = ::socket(endpoint.family(), SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  if (fd < 0) {
    owner_.OnFailed(number_, fmt::format("has no socket: {}", std::strerror(errno)));
    return;
  }
  // Whether it worked is seen when the socket can be written to.
  const int started = ::connect(fd, endpoint.address(), endpoint.size);
  const int error = started == 0 || errno == EINPROGRESS ? 0 : errno;
  peer_.Open(fd);
  if (error != 0) {
    Fail(fmt::format("cannot connect: {}", std::strerror(error)));
  }
}

void ClientSession::SendAudio(std::string_view pcm) {
  WriteInputAudio(wire_, pcm, message_);
  peer_.Send(wire_ == Wire::kBinary ? Opcode::kBinary : Opcode::kText, message_);
}

void ClientSession::BeginClose() {
  closing_ = true;
  if (peer_.open()) {
    peer_.Send(Opcode::kClose, ClosePayload(1000, ""));
  }
}

bool ClientSession::OnHead(std::string_view head) {
  const absl::Status status = CheckResponse(request_, head);
  if (!status.ok()) {
    Fail(Message(status));
  }
  return status.ok();
}

void ClientSession::OnMessage(Opcode opcode, std::string_view payload) {
  if (opcode == Opcode::kBinary) {
    const auto audio = FindOutputAudio(payload);
    if (audio && wire_ == Wire::kBinary) {
      owner_.OnAudio(number_, *audio);
    } else {
      Fail("received a binary message that is no output audio");
    }
    return;
  }
  const auto delta = FindAudioDelta(payload);
  if (!delta) {
    HandleEvent(payload);
    return;
  }
  const auto pcm = DecodeBase64(*delta);
  if (pcm && wire_ == Wire::kJson) {
    owner_.OnAudio(number_, *pcm);
  } else {
    Fail(pcm ? "received audio as JSON on a binary session" : "received audio that is no base64");
  }
}

void ClientSession::HandleEvent(std::string_view text) {
  const auto event = ParseObject(text);
  if (!event.ok()) {
    Fail(fmt::format("received text that is no JSON object: {}", Message(event.status())));
    return;
  }
  const std::string_view type = StringOr(*event, "type");
  const std::string failure = FailureIn(type, *event);
  if (!failure.empty()) {
    Fail(failure);
  } else if (type == "session.created") {
    ready_ = true;
    owner_.OnReady(number_);
  } else {
    owner_.OnEvent(number_, type);
  }
}

void ClientSession::OnLost(std::string_view why) {
  if (!closing_) {
    owner_.OnFailed(number_, why);
  }
}

void ClientSession::Fail(std::string_view why) {
  if (!closing_ && peer_.open()) {
    peer_.Close();
    owner_.OnFailed(number_, why);
  }
}

}  // namespace voicebridge::load
