#include "tests/load/session_pool.h"

#include <algorithm>
#include <utility>

namespace voicebridge::load {
namespace {

Wire WireOf(const LoadOptions& options, std::size_t session) {
  switch (options.mode) {
    case Mode::kJson:
      return Wire::kJson;
    case Mode::kBinary:
      return Wire::kBinary;
    case Mode::kMixed:
      return session % 2 == 0 ? Wire::kJson : Wire::kBinary;
    case Mode::kTurns:
      return options.binary_turns ? Wire::kBinary : Wire::kJson;
  }
  return Wire::kJson;
}

}  // namespace

absl::StatusOr<std::unique_ptr<SessionPool>> SessionPool::Create(EventLoop& loop,
                                                                 const LoadOptions& options,
                                                                 Listener& listener) {
  const auto endpoint = ResolveEndpoint(options.url);
  if (!endpoint.ok()) {
    return endpoint.status();
  }
  return std::unique_ptr<SessionPool>(new SessionPool(loop, options, *endpoint, listener));
}

SessionPool::SessionPool(EventLoop& loop, const LoadOptions& options, Endpoint endpoint,
                         Listener& listener)
    : loop_(loop), listener_(listener), endpoint_(endpoint) {
  request_.url = options.url;
  request_.bearer = options.key;
  opening_since_.resize(options.sessions);
  SessionOwner& owner = *this;
  for (std::size_t i = 0; i < options.sessions; ++i) {
    sessions_.push_back(std::make_unique<ClientSession>(loop, i, WireOf(options, i), owner));
  }
}

void SessionPool::OpenAll(TimePoint deadline) {
  OpenNext();
  while (opening_ > 0 && EventLoop::Now() < deadline) {
    loop_.DispatchOnce(deadline);
    OpenNext();
  }
  for (std::size_t i = 0; i < size(); ++i) {
    if (!sessions_[i]->ready()) {
      failures_.try_emplace(i,
                            i < asked_ ? "got no session.created in time" : "had no turn to open");
    }
  }
}

void SessionPool::OpenNext() {
  while (asked_ < size() && opening_ < kOpeningMax) {
    const std::size_t session = asked_++;
    ++opening_;
    opening_since_[session] = EventLoop::Now();
    sessions_[session]->Open(endpoint_, request_);
  }
}

void SessionPool::CloseAll(TimePoint deadline) {
  for (const auto& session : sessions_) {
    session->BeginClose();
  }
  const auto is_open = [](const auto& session) { return session->open(); };
  while (std::any_of(sessions_.begin(), sessions_.end(), is_open) && EventLoop::Now() < deadline) {
    loop_.DispatchOnce(deadline);
  }
}

void SessionPool::OnReady(std::size_t session) {
  if (opening_since_[session]) {
    ++opened_;
    open_times_.Add(EventLoop::Now() - *opening_since_[session]);
  }
  Opened(session);
}

void SessionPool::OnAudio(std::size_t session, std::string_view pcm) {
  listener_.OnAudio(session, pcm);
}

void SessionPool::OnEvent(std::size_t session, std::string_view type) {
  listener_.OnEvent(session, type);
}

void SessionPool::OnFailed(std::size_t session, std::string_view why) {
  failures_.try_emplace(session, why);
  Opened(session);
}

void SessionPool::Opened(std::size_t session) {
  if (opening_since_[session]) {
    opening_since_[session].reset();
    --opening_;
  }
}

}  // namespace voicebridge::load
