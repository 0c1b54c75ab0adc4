// A WebSocket connection (RFC 6455), without the library behind it.
#pragma once

#include <absl/status/status.h>

#include <cstdint>
#include <string>
#include <string_view>

#include "common/async/awaitable.h"
#include "common/core/deadline.h"

namespace voicebridge {

// What a read brings.
struct Incoming {
  enum class Kind { kText, kBinary, kClosed };

  Kind kind = Kind::kClosed;
  std::string_view payload;  // Of kText and kBinary: a whole message, valid until the next read.
  // Of kClosed: the peer's close code and reason; 1005 when its close frame had none, 1006 when the
  // socket broke, the peer stopped answering pings or the connection was aborted; 1002, 1007 or
  // 1009 when the peer broke the protocol, sent invalid UTF-8 or too large a message (it was told
  // so).
  std::uint16_t close_code = 0;
  std::string close_reason;
};

// Owned by one session and used on its executor. One read and one write may be pending at a time,
// and may overlap. Fragmented messages arrive whole, pings are answered while a read is pending,
// and our own pings notice a peer that is gone. After kClosed nothing more can be read or written.
// Destruction cuts the socket; no operation may be pending then.
class Connection {
 public:
  virtual ~Connection() = default;

  // Unbounded on purpose: it lasts as long as the session. Ended by the peer, Close or Abort.
  virtual Awaitable<Incoming> ReadUntilStopped() = 0;

  // One message. `payload` must stay valid until return. Past the deadline the connection is
  // aborted and the result is DEADLINE_EXCEEDED; UNAVAILABLE when the connection is closed or
  // broken.
  virtual Awaitable<absl::Status> WriteText(std::string_view payload, Deadline deadline) = 0;
  virtual Awaitable<absl::Status> WriteBinary(std::string_view payload, Deadline deadline) = 0;

  // Sends a close frame and waits for the peer's, then cuts the socket; at the deadline it is cut
  // anyway. A pending read ends with kClosed. No write may be pending. Idempotent.
  virtual Awaitable<void> Close(std::uint16_t code, std::string_view reason, Deadline deadline) = 0;

  // Cuts the socket now; pending operations end soon. Idempotent, callable at any time.
  virtual void Abort() = 0;
};

}  // namespace voicebridge
