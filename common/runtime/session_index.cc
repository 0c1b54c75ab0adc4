#include "common/runtime/session_index.h"

#include <algorithm>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/post.hpp>
#include <string_view>
#include <utility>

#include "common/async/first_to_finish.h"
#include "common/core/status.h"

namespace voicebridge {
namespace {

// A teardown's own bounds: what is told politely, and what is then cut off.
constexpr Duration kSupersededMax = seconds(2);

void PostEnd(const std::shared_ptr<SessionHandle>& handle, EndReason reason, Deadline deadline) {
  net::post(handle->executor, [handle, reason, deadline] {
    if (handle->end) {
      handle->end(reason, deadline);
    }
  });
}

}  // namespace

SessionIndex::SessionIndex(net::any_io_executor executor, std::int64_t capacity, LiveSessions& live)
    : executor_(std::move(executor)), capacity_(capacity), live_(live), left_(executor_) {}

Awaitable<absl::Status> SessionIndex::Add(std::shared_ptr<SessionHandle> handle) {
  co_return co_await net::co_spawn(executor_, AddHere(std::move(handle)), net::use_awaitable);
}

Awaitable<void> SessionIndex::Remove(std::shared_ptr<SessionHandle> handle) {
  co_await net::co_spawn(executor_, RemoveHere(std::move(handle)), net::use_awaitable);
}

Awaitable<SessionIndex::Sessions> SessionIndex::List() {
  co_return co_await net::co_spawn(executor_, ListHere(), net::use_awaitable);
}

Awaitable<absl::Status> SessionIndex::End(std::string session_id, EndReason reason,
                                          Deadline deadline) {
  co_return co_await net::co_spawn(executor_, EndHere(std::move(session_id), reason, deadline),
                                   net::use_awaitable);
}

Awaitable<absl::Status> SessionIndex::AddHere(std::shared_ptr<SessionHandle> handle) {
  if (closed_.load()) {
    co_return Unavailable("draining: no new sessions");
  }
  const auto found = sessions_.find(handle->session_id);
  if (found != sessions_.end()) {
    if (found->second->epoch >= handle->epoch) {
      co_return MakeStatus(absl::StatusCode::kAborted, "epoch {} owns this session, {} came late",
                           found->second->epoch, handle->epoch);
    }
    // The older attachment still counts until it has gone; its Remove finds another handle here.
    PostEnd(found->second, v1::END_REASON_SUPERSEDED,
            Deadline::After(clock_.Now(), kSupersededMax));
  }
  if (!live_.TryReserve(capacity_)) {
    co_return MakeStatus(absl::StatusCode::kResourceExhausted, "full: {} sessions", capacity_);
  }
  handle->added = clock_.Now();
  Enter(std::move(handle));
  left_.Notify();  // An older one of this id.
  co_return absl::OkStatus();
}

Awaitable<void> SessionIndex::RemoveHere(std::shared_ptr<SessionHandle> handle) {
  Leave(handle);
  const bool held = Holds(handle);
  if (held) {
    sessions_.erase(handle->session_id);
    left_.Notify();
  }
  if (handle->removed) {
    handle->removed();
  }
  if (held && on_left_) {
    on_left_(*handle);
  }
  co_return;
}

void SessionIndex::Enter(std::shared_ptr<SessionHandle> handle) {
  if (present_.size() < LiveSessions::kPlaces) {
    live_.Show(present_.size(), handle->session_id);
  }
  present_.push_back(handle);
  sessions_.insert_or_assign(handle->session_id, std::move(handle));
  on_count_();
}

void SessionIndex::Leave(const std::shared_ptr<SessionHandle>& handle) {
  const auto left = std::find(present_.begin(), present_.end(), handle);
  const auto first_moved = static_cast<std::size_t>(left - present_.begin());
  if (left != present_.end()) {
    present_.erase(left);
  }
  const std::size_t end = std::min(present_.size() + 1, LiveSessions::kPlaces);
  for (std::size_t i = first_moved; i < end; ++i) {
    live_.Show(i, i < present_.size() ? std::string_view(present_[i]->session_id) : "");
  }
  live_.Release();
  on_count_();
}

Awaitable<SessionIndex::Sessions> SessionIndex::ListHere() {
  Sessions sessions;
  sessions.reserve(sessions_.size());
  for (const auto& [id, handle] : sessions_) {
    sessions.push_back(handle);
  }
  co_return sessions;
}

Awaitable<absl::Status> SessionIndex::EndHere(std::string session_id, EndReason reason,
                                              Deadline deadline) {
  co_await net::this_coro::throw_if_cancelled(false);
  const auto found = sessions_.find(session_id);
  if (found == sessions_.end()) {
    co_return absl::NotFoundError("no such session in this process");
  }
  const std::shared_ptr<SessionHandle> handle = found->second;
  PostEnd(handle, reason, deadline);
  const bool left = co_await RunUntil(clock_, deadline, WaitUntilLeft(handle));
  co_return left && !Holds(handle)
      ? absl::OkStatus()
      : DeadlineExceeded("the session was told to end, and has not yet");
}

Awaitable<void> SessionIndex::WaitUntilLeft(std::shared_ptr<SessionHandle> handle) {
  const auto left = [this, &handle] { return !Holds(handle); };
  co_await left_.WaitUntil(left);
}

// A newer attachment of the same session is another one.
bool SessionIndex::Holds(const std::shared_ptr<SessionHandle>& handle) const {
  const auto found = sessions_.find(handle->session_id);
  return found != sessions_.end() && found->second == handle;
}

void SessionIndex::ListIds(std::function<void(std::vector<std::string>)> done) {
  net::post(executor_, [this, done = std::move(done)] {
    std::vector<std::string> ids;
    ids.reserve(sessions_.size());
    for (const auto& [id, handle] : sessions_) {
      ids.push_back(id);
    }
    done(std::move(ids));
  });
}

template <class Call>
void SessionIndex::PostToAll(Call call) {
  net::post(executor_, [this, call] {
    for (const auto& [id, handle] : sessions_) {
      net::post(handle->executor, [handle = handle, call] { call(*handle); });
    }
  });
}

void SessionIndex::EndAll(EndReason reason, Deadline deadline) {
  PostToAll([reason, deadline](SessionHandle& handle) {
    if (handle.end) {
      handle.end(reason, deadline);
    }
  });
}

void SessionIndex::AnnounceDrainToAll(Deadline deadline) {
  PostToAll([deadline](SessionHandle& handle) {
    if (handle.announce_drain) {
      handle.announce_drain(deadline);
    }
  });
}

void SessionIndex::ForceAll() {
  PostToAll([](SessionHandle& handle) {
    if (handle.force) {
      handle.force();
    }
  });
}

}  // namespace voicebridge
