// One side of a bidirectional message stream, without the library behind it.
#pragma once

#include "common/async/awaitable.h"
#include "common/core/deadline.h"

namespace voicebridge {

// Owned by one session and used on its executor. One read and one write may be pending at a time,
// and may overlap. Destruction cancels the call.
template <class In, class Out>
class MessageStream {
 public:
  virtual ~MessageStream() = default;

  // The next message, valid until the next read, whose strings the caller may move out; null when
  // the peer will send no more or the call was cancelled. Unbounded on purpose: it lasts as long as
  // the session.
  virtual Awaitable<In*> ReadUntilStopped() = 0;

  // True when the message was handed to the transport. False when the peer accepts no more; past
  // the deadline the whole call is cancelled.
  virtual Awaitable<bool> Write(Out message, Deadline deadline) = 0;

  // Ends the whole call; pending operations complete soon. Idempotent.
  virtual void Cancel() = 0;
};

}  // namespace voicebridge
