// An upstream that costs next to nothing: it speaks as much of the Realtime protocol as a session
// needs, and sends every append back.
#pragma once

#include <absl/status/statusor.h>

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "tests/load/event_loop.h"

namespace voicebridge::load {

class EchoSession;

// Accepts any key and any path. A session gets session.created, an answer to session.update, and
// one response without an end whose audio is what was appended, byte for byte in its base64.
// Everything else that is sent is ignored. Used on one thread, by one loop.
class EchoUpstream final : private EventHandler {
 public:
  explicit EchoUpstream(EventLoop& loop);
  ~EchoUpstream() override;

  // Listens on a loopback address; says which. INVALID_ARGUMENT, UNAVAILABLE.
  absl::StatusOr<std::string> Listen(const std::string& host_port);

  // Between dispatches: frees the sessions that ended.
  void Reap();
  std::size_t sessions() const { return sessions_.size(); }

 private:
  void OnEvents(std::uint32_t events) override;

  EventLoop& loop_;
  int listener_ = -1;
  std::uint64_t last_session_ = 0;
  bool some_ended_ = false;
  std::vector<std::unique_ptr<EchoSession>> sessions_;
};

}  // namespace voicebridge::load
