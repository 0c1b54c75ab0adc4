// One session of the echoing upstream.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "tests/load/peer.h"

namespace voicebridge::load {

// Owned by an EchoUpstream.
class EchoSession final : private PeerOwner {
 public:
  // `ended` becomes true when the session is over.
  EchoSession(EventLoop& loop, std::uint64_t number, int fd, bool& ended);

  bool open() const { return peer_.open(); }

 private:
  bool OnHead(std::string_view head) override;
  void OnMessage(Opcode opcode, std::string_view payload) override;
  void OnLost(std::string_view) override { ended_ = true; }

  void Echo(std::string_view base64);
  void BeginResponse();
  void HandleOther(std::string_view text);
  std::string NextEventId();

  bool& ended_;
  std::uint64_t number_;
  std::uint64_t last_event_ = 0;
  std::string delta_tail_;  // Of a delta, from its ids to its audio. Empty: no response yet.
  std::string message_;     // Reused.
  Peer peer_;
};

}  // namespace voicebridge::load
