// Between Beast's errors and the close codes of RFC 6455 section 7.4.
#pragma once

#include <boost/beast/core/error.hpp>
#include <boost/beast/websocket/rfc6455.hpp>
#include <cstdint>
#include <string_view>

namespace voicebridge {

inline constexpr std::uint16_t kCloseWithoutCode = 1005;  // Never on the wire.
inline constexpr std::uint16_t kConnectionBroken = 1006;  // Never on the wire.

// What a failed read means; `reason` is what the peer's close frame said, if one came. Anything but
// kConnectionBroken: the peer closed, or Beast has sent it this code.
std::uint16_t CloseCodeOf(const boost::beast::error_code& error,
                          const boost::beast::websocket::close_reason& reason);

// A close frame that can be sent: no code when `code` may not be on the wire, and as much of the
// reason as a control frame holds, cut between characters.
boost::beast::websocket::close_reason ToCloseReason(std::uint16_t code, std::string_view reason);

// Whether valid UTF-8 was cut off in the middle of its last character.
bool EndsInsideCharacter(std::string_view text);

}  // namespace voicebridge
