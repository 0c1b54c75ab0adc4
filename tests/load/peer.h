// One WebSocket of the load tool, client's or server's side.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "tests/load/event_loop.h"
#include "tests/load/websocket_frames.h"

namespace voicebridge::load {

// What a peer tells its owner. The owner may close the peer in any of these, not destroy it.
class PeerOwner {
 public:
  virtual ~PeerOwner() = default;
  // The connection stands; a client may send its upgrade.
  virtual void OnConnected() {}
  // The other side's HTTP head, complete. False: not acceptable; the owner has closed.
  virtual bool OnHead(std::string_view head) = 0;
  virtual void OnMessage(Opcode opcode, std::string_view payload) = 0;
  // Once, and never after the owner's own Close.
  virtual void OnLost(std::string_view why) = 0;
};

// A non-blocking socket whose first bytes are HTTP and all others frames. Pings are answered here.
class Peer final : private EventHandler {
 public:
  enum class Side { kClient, kServer };

  Peer(EventLoop& loop, Side side, PeerOwner& owner) : loop_(loop), owner_(owner), side_(side) {}
  ~Peer() override { Close(); }
  Peer(const Peer&) = delete;
  Peer& operator=(const Peer&) = delete;

  // Takes the descriptor: `connecting` of a client, connected of a server.
  void Open(int fd);
  bool open() const { return fd_ >= 0; }

  void SendHead(std::string_view head);
  void Send(Opcode opcode, std::string_view payload);

  // Bytes that the kernel did not take yet.
  std::size_t unsent_bytes() const { return out_.size() - sent_; }

  // At once, without a word.
  void Close();

 private:
  enum class Phase { kConnecting, kHead, kFrames };

  // A peer that does not read is lost at this point rather than buffered for.
  static constexpr std::size_t kUnsentMax = 4U << 20U;

  void OnEvents(std::uint32_t events) override;
  void FinishConnecting();
  void Read();
  // How many of the bytes are done with.
  std::size_t Consume(char* bytes, std::size_t size);
  std::size_t ConsumeHead(std::string_view bytes);
  std::size_t ConsumeFrame(char* bytes, std::size_t size);
  void Flush();
  void Lose(std::string_view why);

  EventLoop& loop_;
  PeerOwner& owner_;
  Side side_;
  Phase phase_ = Phase::kHead;
  int fd_ = -1;
  bool wants_to_write_ = false;
  std::uint32_t mask_state_ = 0x6b8b4567;
  std::string partial_;  // What was read of an incomplete frame.
  std::string out_;
  std::size_t sent_ = 0;  // Of out_.
};

}  // namespace voicebridge::load
