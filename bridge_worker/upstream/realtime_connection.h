// The worker's line to the Realtime API; fakes implement it in tests.
#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "common/async/awaitable.h"
#include "common/core/changing_secret.h"
#include "common/core/deadline.h"
#include "common/websocket/connect.h"
#include "common/websocket/connection.h"

namespace voicebridge::worker {

// One upstream socket. Same rules as Connection: one read and one write may be pending at a time.
class RealtimeConnection {
 public:
  virtual ~RealtimeConnection() = default;

  // The next server event (kText), or the end (kClosed). Binary messages are not of this protocol.
  virtual Awaitable<Incoming> ReadUntilStopped() = 0;
  virtual Awaitable<absl::Status> SendEvent(std::string_view json, Deadline deadline) = 0;
  // As one input_audio_buffer.append.
  virtual Awaitable<absl::Status> SendAudio(std::string_view pcm, Deadline deadline) = 0;
  virtual Awaitable<void> Close(Deadline deadline) = 0;
  virtual void Abort() = 0;
};

struct RealtimeConnectResult {
  std::unique_ptr<RealtimeConnection> connection;  // Null on failure.
  ConnectFailure failure;
};

class RealtimeConnector {
 public:
  virtual ~RealtimeConnector() = default;
  virtual Awaitable<RealtimeConnectResult> Connect(std::string model, Deadline deadline) = 0;
};

// Dials `url` with `?model=` and the key of that moment, over TLS for wss://. Used on any shard.
std::unique_ptr<RealtimeConnector> MakeRealtimeConnector(Url url, const ChangingSecret& api_key,
                                                         std::string ca_file);

}  // namespace voicebridge::worker
