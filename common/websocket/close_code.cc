#include "common/websocket/close_code.h"

#include <boost/beast/websocket/error.hpp>

namespace voicebridge {
namespace {

namespace websocket = boost::beast::websocket;

bool MayBeSent(std::uint16_t code) {
  const bool assigned =
      code >= 1000 && code <= 1014 && code != 1004 && code != 1005 && code != 1006;
  return assigned || (code >= 3000 && code <= 4999);
}

// By the lead byte; 1 for anything else.
std::size_t CharacterLength(unsigned char lead) {
  if (lead >= 0xf0) {
    return 4;
  }
  return lead >= 0xe0 ? 3 : lead >= 0xc0 ? 2 : 1;
}

bool IsContinuation(char c) { return (static_cast<unsigned char>(c) & 0xc0U) == 0x80U; }

std::string_view CutBetweenCharacters(std::string_view text, std::size_t bytes_max) {
  if (text.size() <= bytes_max) {
    return text;
  }
  std::size_t end = bytes_max;
  while (end > 0 && IsContinuation(text[end])) {
    --end;
  }
  return text.substr(0, end);
}

}  // namespace

std::uint16_t CloseCodeOf(const boost::beast::error_code& error,
                          const websocket::close_reason& reason) {
  if (error == websocket::error::closed) {
    return reason.code == websocket::close_code::none ? kCloseWithoutCode : reason.code;
  }
  if (error == websocket::error::message_too_big) {
    return websocket::close_code::too_big;
  }
  if (error == websocket::error::bad_frame_payload) {
    return websocket::close_code::bad_payload;
  }
  if (error == websocket::condition::protocol_violation) {
    return websocket::close_code::protocol_error;
  }
  return kConnectionBroken;
}

websocket::close_reason ToCloseReason(std::uint16_t code, std::string_view reason) {
  websocket::close_reason result;
  if (MayBeSent(code)) {
    result.code = code;
    const std::string_view cut = CutBetweenCharacters(reason, result.reason.max_size());
    result.reason.assign(cut.data(), cut.size());
  }
  return result;
}

bool EndsInsideCharacter(std::string_view text) {
  std::size_t tail = 1;
  while (tail <= text.size() && tail < 4 && IsContinuation(text[text.size() - tail])) {
    ++tail;
  }
  return tail <= text.size() &&
         CharacterLength(static_cast<unsigned char>(text[text.size() - tail])) > tail;
}

}  // namespace voicebridge
