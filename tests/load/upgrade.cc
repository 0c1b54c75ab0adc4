#include "tests/load/upgrade.h"

#include <absl/strings/ascii.h>
#include <absl/strings/match.h>
#include <absl/strings/string_view.h>
#include <fmt/format.h>
#include <openssl/sha.h>

#include <array>
#include <optional>

#include "common/core/base64.h"
#include "common/core/status.h"

namespace voicebridge::load {
namespace {

absl::string_view ToAbsl(std::string_view text) { return {text.data(), text.size()}; }

std::string_view Trim(std::string_view text) {
  const absl::string_view trimmed = absl::StripAsciiWhitespace(ToAbsl(text));
  return {trimmed.data(), trimmed.size()};
}

// The value of the first header of this name.
std::optional<std::string_view> FindHeader(std::string_view head, std::string_view name) {
  for (std::size_t line = head.find("\r\n"); line != std::string_view::npos;) {
    const std::size_t begin = line + 2;
    line = head.find("\r\n", begin);
    const std::string_view text = head.substr(begin, line - begin);
    const std::size_t colon = text.find(':');
    if (colon != std::string_view::npos &&
        absl::EqualsIgnoreCase(ToAbsl(text.substr(0, colon)), ToAbsl(name))) {
      return Trim(text.substr(colon + 1));
    }
  }
  return std::nullopt;
}

std::string_view FirstLine(std::string_view head) { return head.substr(0, head.find("\r\n")); }

}  // namespace

std::size_t EndOfHead(std::string_view bytes) {
  const std::size_t empty_line = bytes.find("\r\n\r\n");
  return empty_line == std::string_view::npos ? empty_line : empty_line + 4;
}

std::string WriteRequest(const UpgradeRequest& request) {
  const std::string host = request.url.host.find(':') == std::string::npos
                               ? request.url.host
                               : fmt::format("[{}]", request.url.host);
  std::string head = fmt::format(
      "GET {} HTTP/1.1\r\nHost: {}:{}\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
      "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: {}\r\nSec-WebSocket-Protocol: {}\r\n",
      request.url.target, host, request.url.port, request.key, request.subprotocol);
  if (!request.bearer.empty()) {
    head += fmt::format("Authorization: Bearer {}\r\n", request.bearer);
  }
  return head + "\r\n";
}

absl::Status CheckResponse(const UpgradeRequest& request, std::string_view head) {
  if (!head.starts_with("HTTP/1.1 101")) {
    return Unavailable("the upgrade was answered with \"{}\"", FirstLine(head));
  }
  if (FindHeader(head, "Sec-WebSocket-Accept") != AcceptFor(request.key)) {
    return Unavailable("the upgrade was answered with a wrong Sec-WebSocket-Accept");
  }
  const std::string_view chosen = FindHeader(head, "Sec-WebSocket-Protocol").value_or("");
  if (chosen != request.subprotocol) {
    return Unavailable("the subprotocol {} was answered with \"{}\"", request.subprotocol, chosen);
  }
  return absl::OkStatus();
}

absl::StatusOr<std::string> AnswerUpgrade(std::string_view head) {
  const auto key = FindHeader(head, "Sec-WebSocket-Key");
  if (!head.starts_with("GET ") || !key) {
    return InvalidArgument("expected a WebSocket upgrade, got \"{}\"", FirstLine(head));
  }
  std::string answer = fmt::format(
      "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
      "Sec-WebSocket-Accept: {}\r\n",
      AcceptFor(*key));
  if (const auto offered = FindHeader(head, "Sec-WebSocket-Protocol")) {
    const std::string_view first = Trim(offered->substr(0, offered->find(',')));
    answer += fmt::format("Sec-WebSocket-Protocol: {}\r\n", first);
  }
  return answer + "\r\n";
}

std::string AcceptFor(std::string_view key) {
  const std::string text = fmt::format("{}258EAFA5-E914-47DA-95CA-C5AB0DC85B11", key);
  std::array<unsigned char, SHA_DIGEST_LENGTH> digest{};
  SHA1(reinterpret_cast<const unsigned char*>(text.data()), text.size(), digest.data());
  std::string accept;
  AppendBase64({reinterpret_cast<const char*>(digest.data()), digest.size()}, accept);
  return accept;
}

}  // namespace voicebridge::load
