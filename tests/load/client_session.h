// One session as a client sees it: opened, fed with audio, listened to.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "tests/load/messages.h"
#include "tests/load/peer.h"
#include "tests/load/upgrade.h"

namespace voicebridge::load {

// What sessions tell the load that runs them.
class SessionOwner {
 public:
  virtual ~SessionOwner() = default;
  // The session was created at the other end; it may be spoken to.
  virtual void OnReady(std::size_t session) = 0;
  virtual void OnAudio(std::size_t session, std::string_view pcm) = 0;
  // Any other event of the server after session.created.
  virtual void OnEvent(std::size_t session, std::string_view type) = 0;
  // The last of its life: it did not open, was closed, or was told of an error.
  virtual void OnFailed(std::size_t session, std::string_view why) = 0;
};

struct Endpoint;

// Works against a gateway and, through any relay, against an upstream that speaks the Realtime
// protocol. Owned by a SessionPool.
class ClientSession final : private PeerOwner {
 public:
  ClientSession(EventLoop& loop, std::size_t number, Wire wire, SessionOwner& owner)
      : owner_(owner), number_(number), wire_(wire), peer_(loop, Peer::Side::kClient, *this) {}

  // `request` without its key and subprotocol.
  void Open(const Endpoint& endpoint, UpgradeRequest request);

  void SendAudio(std::string_view pcm);
  void SendEvent(std::string_view json) { peer_.Send(Opcode::kText, json); }

  // A close frame; the peer's answer ends the session without a failure.
  void BeginClose();
  bool open() const { return peer_.open(); }
  bool ready() const { return ready_ && open(); }
  Wire wire() const { return wire_; }

 private:
  void OnConnected() override { peer_.SendHead(WriteRequest(request_)); }
  bool OnHead(std::string_view head) override;
  void OnMessage(Opcode opcode, std::string_view payload) override;
  void OnLost(std::string_view why) override;
  void HandleEvent(std::string_view text);
  void Fail(std::string_view why);

  SessionOwner& owner_;
  std::size_t number_;
  Wire wire_;
  UpgradeRequest request_;
  std::string message_;  // Reused.
  bool ready_ = false;
  bool closing_ = false;
  Peer peer_;
};

}  // namespace voicebridge::load
