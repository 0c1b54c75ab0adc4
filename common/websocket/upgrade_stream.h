// The byte stream under a Beast WebSocket stream: the transport, corrected in two places.
#pragma once

#include <array>
#include <boost/asio/async_result.hpp>
#include <boost/asio/buffer.hpp>
#include <boost/asio/compose.hpp>
#include <boost/asio/post.hpp>
#include <boost/beast/core/bind_handler.hpp>
#include <boost/beast/core/error.hpp>
#include <boost/beast/core/role.hpp>
#include <cstddef>
#include <string>
#include <string_view>
#include <utility>

namespace voicebridge {

// Finds the end of an HTTP header in bytes that come in pieces.
class HeaderEnd {
 public:
  // How many of the bytes belong to the header; `found` once they contain its end.
  std::size_t Scan(std::string_view bytes) {
    for (std::size_t i = 0; i < bytes.size() && !found(); ++i) {
      matched_ = bytes[i] == kEnd[matched_] ? matched_ + 1 : bytes[i] == '\r' ? 1U : 0U;
      if (found()) {
        return i + 1;
      }
    }
    return bytes.size();
  }

  bool found() const { return matched_ == kEnd.size(); }

 private:
  static constexpr std::string_view kEnd = "\r\n\r\n";
  std::size_t matched_ = 0;
};

// Holds bytes that were read too early, and hands them out before what the transport brings:
//   * on a client, what followed the header of the upgrade's response. Beast fails the handshake
//   when the
//     header is longer than its 1536-byte buffer and a larger message came along with it;
//   * on a server, what followed the upgrade request.
// And it has no teardown of its own: Beast's waits for the peer without a bound. Owned by a
// WebSocket stream; one read and one write may be pending.
template <class NextLayer>
class UpgradeStream {
 public:
  using next_layer_type = NextLayer;
  using executor_type = typename NextLayer::executor_type;

  template <class... Args>
  explicit UpgradeStream(Args&&... args) : next_(std::forward<Args>(args)...) {}

  next_layer_type& next_layer() { return next_; }
  const next_layer_type& next_layer() const { return next_; }
  executor_type get_executor() { return next_.get_executor(); }

  void PutBack(std::string_view bytes) { held_.insert(0, bytes); }

  // Until the end of the next header, a read brings nothing of what follows it.
  void SplitAfterHeader() {
    header_end_ = HeaderEnd();
    splitting_ = true;
  }

  template <class Buffers, class Token>
  auto async_read_some(const Buffers& buffers, Token&& token) {
    return boost::asio::async_initiate<Token, void(boost::beast::error_code, std::size_t)>(
        [this](auto handler, const Buffers& target) {
          if (held_.empty() && !splitting_) {
            next_.async_read_some(target, std::move(handler));
            return;
          }
          using Handler = decltype(handler);
          boost::asio::async_compose<Handler, void(boost::beast::error_code, std::size_t)>(
              ReadHeld<Buffers>(*this, target), handler, next_);
        },
        token, buffers);
  }

  template <class Buffers, class Token>
  auto async_write_some(const Buffers& buffers, Token&& token) {
    return next_.async_write_some(buffers, std::forward<Token>(token));
  }

 private:
  // Reads into `held_` when nothing is held, then takes as much of it as may be handed out.
  template <class Buffers>
  class ReadHeld {
   public:
    ReadHeld(UpgradeStream& stream, const Buffers& target) : stream_(stream), target_(target) {}

    template <class Self>
    void operator()(Self& self) {
      if (stream_.held_.empty()) {
        stream_.held_.resize(kReadSize);
        filling_ = true;
        stream_.next_.async_read_some(boost::asio::buffer(stream_.held_), std::move(self));
        return;
      }
      boost::asio::post(boost::beast::bind_front_handler(
          std::move(self), boost::beast::error_code(), std::size_t{0}));
    }

    template <class Self>
    void operator()(Self& self, const boost::beast::error_code& error, std::size_t bytes) {
      if (filling_) {
        stream_.held_.resize(bytes);
      }
      self.complete(error, error ? 0 : stream_.TakeHeld(target_));
    }

   private:
    UpgradeStream& stream_;
    Buffers target_;
    bool filling_ = false;
  };

  template <class Buffers>
  std::size_t TakeHeld(const Buffers& target) {
    const std::size_t room = boost::asio::buffer_size(target);
    std::string_view bytes = std::string_view(held_).substr(0, room);
    if (splitting_) {
      bytes = bytes.substr(0, header_end_.Scan(bytes));
      splitting_ = !header_end_.found();
    }
    boost::asio::buffer_copy(target, boost::asio::buffer(bytes));
    held_.erase(0, bytes.size());
    if (held_.empty()) {
      held_.shrink_to_fit();
    }
    return bytes.size();
  }

  static constexpr std::size_t kReadSize = 4096;

  NextLayer next_;
  std::string held_;
  HeaderEnd header_end_;
  bool splitting_ = false;
};

// Found by Beast once the close frames are exchanged: BeastConnection ends the transport, with a
// bound.
template <class NextLayer, class Handler>
void async_teardown(boost::beast::role_type, UpgradeStream<NextLayer>& stream, Handler&& handler) {
  boost::asio::post(
      stream.get_executor(),
      boost::beast::bind_front_handler(std::forward<Handler>(handler), boost::beast::error_code()));
}

}  // namespace voicebridge
