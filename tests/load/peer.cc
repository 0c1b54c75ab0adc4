#include "tests/load/peer.h"

#include <fmt/format.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <utility>

#include "tests/load/upgrade.h"

namespace voicebridge::load {
namespace {

constexpr std::size_t kMessageMax = EventLoop::kScratchBytes / 2;

// xorshift32.
std::uint32_t NextMask(std::uint32_t& state) {
  state ^= state << 13U;
  state ^= state >> 17U;
  state ^= state << 5U;
  return state;
}

bool WouldBlock(int error) { return error == EAGAIN || error == EWOULDBLOCK || error == EINTR; }

}  // namespace

void Peer::Open(int fd) {
  fd_ = fd;
  const int on = 1;
  ::setsockopt(fd_, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
  phase_ = side_ == Side::kClient ? Phase::kConnecting : Phase::kHead;
  wants_to_write_ = side_ == Side::kClient;
  loop_.Watch(fd_, wants_to_write_ ? EPOLLOUT : EPOLLIN, *this);
}

void Peer::SendHead(std::string_view head) {
  out_ += head;
  Flush();
}

void Peer::Send(Opcode opcode, std::string_view payload) {
  const auto mask = side_ == Side::kClient ? std::optional(NextMask(mask_state_)) : std::nullopt;
  AppendFrame(opcode, payload, mask, out_);
  if (!wants_to_write_) {
    Flush();
  }
}

void Peer::Close() {
  if (open()) {
    loop_.Forget(fd_);
    ::close(std::exchange(fd_, -1));
  }
}

void Peer::OnEvents(std::uint32_t events) {
  if (phase_ == Phase::kConnecting) {
    FinishConnecting();
    return;
  }
  if ((events & EPOLLOUT) != 0) {
    Flush();
  }
  if (open() && (events & (EPOLLIN | EPOLLHUP | EPOLLERR)) != 0) {
    Read();
  }
}

void Peer::FinishConnecting() {
  int error = 0;
  socklen_t size = sizeof(error);
  ::getsockopt(fd_, SOL_SOCKET, SO_ERROR, &error, &size);
  if (error != 0) {
    Lose(fmt::format("cannot connect: {}", std::strerror(error)));
    return;
  }
  phase_ = Phase::kHead;
  wants_to_write_ = false;
  loop_.Change(fd_, EPOLLIN, *this);
  owner_.OnConnected();
}

void Peer::Read() {
  char* const buffer = loop_.scratch();
  const std::size_t kept = partial_.size();
  std::memcpy(buffer, partial_.data(), kept);
  const ssize_t count = ::recv(fd_, buffer + kept, EventLoop::kScratchBytes - kept, 0);
  if (count <= 0) {
    if (count == 0 || !WouldBlock(errno)) {
      Lose(count == 0 ? "the connection was closed" : std::strerror(errno));
    }
    return;
  }
  const std::size_t size = kept + static_cast<std::size_t>(count);
  const std::size_t done = Consume(buffer, size);
  partial_.assign(buffer + done, size - done);
}

std::size_t Peer::Consume(char* bytes, std::size_t size) {
  std::size_t done = 0;
  while (open() && done < size) {
    const std::size_t step = phase_ == Phase::kHead ? ConsumeHead({bytes + done, size - done})
                                                    : ConsumeFrame(bytes + done, size - done);
    if (step == 0) {
      break;
    }
    done += step;
  }
  return done;
}

std::size_t Peer::ConsumeHead(std::string_view bytes) {
  const std::size_t size = EndOfHead(bytes);
  if (size == std::string_view::npos) {
    if (bytes.size() > kMessageMax) {
      Lose("received an HTTP head without an end");
    }
    return 0;
  }
  phase_ = Phase::kFrames;
  return owner_.OnHead(bytes.substr(0, size)) ? size : 0;
}

std::size_t Peer::ConsumeFrame(char* bytes, std::size_t size) {
  const ParsedFrame frame = ParseFrame(bytes, size, side_ == Side::kServer, kMessageMax);
  switch (frame.state) {
    case ParsedFrame::State::kIncomplete:
      return 0;
    case ParsedFrame::State::kMalformed:
      Lose(fmt::format("received {}", frame.problem));
      return 0;
    case ParsedFrame::State::kFrame:
      break;
  }
  if (frame.opcode == Opcode::kPing) {
    Send(Opcode::kPong, frame.payload);
  } else if (frame.opcode == Opcode::kClose) {
    Send(Opcode::kClose, frame.payload.substr(0, 2));
    Lose(fmt::format("closed by the peer with {}", DescribeClose(frame.payload)));
  } else if (frame.opcode != Opcode::kPong) {
    owner_.OnMessage(frame.opcode, frame.payload);
  }
  return frame.bytes;
}

void Peer::Flush() {
  while (open() && sent_ < out_.size()) {
    const ssize_t count = ::send(fd_, out_.data() + sent_, out_.size() - sent_, MSG_NOSIGNAL);
    if (count < 0 && !WouldBlock(errno)) {
      Lose(std::strerror(errno));
      return;
    }
    if (count < 0) {
      break;
    }
    sent_ += static_cast<std::size_t>(count);
  }
  if (unsent_bytes() > kUnsentMax) {
    Lose("the peer does not read");
    return;
  }
  const bool unsent = unsent_bytes() != 0;
  if (!unsent || sent_ > kUnsentMax) {
    out_.erase(0, std::exchange(sent_, 0));
  }
  if (open() && unsent != wants_to_write_) {
    wants_to_write_ = unsent;
    loop_.Change(fd_, EPOLLIN | (unsent ? EPOLLOUT : 0U), *this);
  }
}

void Peer::Lose(std::string_view why) {
  if (open()) {
    Close();
    owner_.OnLost(why);
  }
}

}  // namespace voicebridge::load
