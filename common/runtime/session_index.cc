#include "common/runtime/session_index.h"

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/post.hpp>
#include <utility>

#include "common/core/status.h"

namespace voicebridge {
namespace {

void PostEnd(const std::shared_ptr<SessionHandle>& handle, EndReason reason, Duration time_left) {
  net::post(handle->executor, [handle, reason, time_left] {
    if (handle->end) {
      handle->end(reason, time_left);
    }
  });
}

}  // namespace

SessionIndex::SessionIndex(net::any_io_executor executor, std::int64_t capacity,
                           std::atomic<std::int64_t>& live)
    : executor_(std::move(executor)), capacity_(capacity), live_(live) {}

Awaitable<absl::Status> SessionIndex::Add(std::shared_ptr<SessionHandle> handle) {
  co_return co_await net::co_spawn(executor_, AddHere(std::move(handle)), net::use_awaitable);
}

Awaitable<void> SessionIndex::Remove(std::shared_ptr<SessionHandle> handle) {
  co_await net::co_spawn(executor_, RemoveHere(std::move(handle)), net::use_awaitable);
}

bool SessionIndex::Reserve() {
  std::int64_t live = live_.load();
  do {
    if (capacity_ > 0 && live >= capacity_) {
      return false;
    }
  } while (!live_.compare_exchange_weak(live, live + 1));
  return true;
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
    PostEnd(found->second, v1::END_REASON_SUPERSEDED, Duration::zero());
  }
  if (!Reserve()) {
    co_return MakeStatus(absl::StatusCode::kResourceExhausted, "full: {} sessions", capacity_);
  }
  sessions_.insert_or_assign(handle->session_id, handle);
  co_return absl::OkStatus();
}

Awaitable<void> SessionIndex::RemoveHere(std::shared_ptr<SessionHandle> handle) {
  live_.fetch_sub(1);
  const auto found = sessions_.find(handle->session_id);
  if (found != sessions_.end() && found->second == handle) {
    sessions_.erase(found);
  }
  co_return;
}

void SessionIndex::EndAll(EndReason reason, Duration time_left) {
  net::post(executor_, [this, reason, time_left] {
    for (const auto& [id, handle] : sessions_) {
      PostEnd(handle, reason, time_left);
    }
  });
}

}  // namespace voicebridge
