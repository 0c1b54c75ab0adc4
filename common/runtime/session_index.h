// The sessions of a process, over all its shards.
#pragma once

#include <absl/status/statusor.h>

#include <atomic>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "common/async/awaitable.h"
#include "common/async/clock.h"
#include "common/async/event.h"
#include "common/core/deadline.h"
#include "common/core/end_reason.h"
#include "common/core/time.h"

namespace voicebridge {

// How others reach a session: by posting to its executor. The session shares it with the index, and
// empties `end` when it is over.
struct SessionHandle {
  std::string session_id;
  std::string profile;
  std::uint64_t epoch = 0;
  net::any_io_executor executor;
  std::function<void(EndReason, Duration time_left)> end;  // Called on `executor` only.
  TimePoint added;                                         // To the index; the index sets it.
};

// Lives on one shard; what is awaited may be awaited on any.
// Capacity is one atomic reservation. The fence of invariant 4 within a process: the higher epoch
// wins.
class SessionIndex {
 public:
  // `capacity` 0: no limit. `live` counts sessions for metrics and the watchdog.
  SessionIndex(net::any_io_executor executor, std::int64_t capacity,
               std::atomic<std::int64_t>& live);

  // RESOURCE_EXHAUSTED when full, UNAVAILABLE once Close was called, ABORTED when a session of this
  // id has the same or a higher epoch; an older one is told to end as superseded and gives its
  // place.
  Awaitable<absl::Status> Add(std::shared_ptr<SessionHandle> handle);
  Awaitable<void> Remove(std::shared_ptr<SessionHandle> handle);

  using Sessions = std::vector<std::shared_ptr<const SessionHandle>>;
  Awaitable<Sessions> List();

  // Asks the session to end and waits until it has left. NOT_FOUND, DEADLINE_EXCEEDED.
  Awaitable<absl::Status> End(std::string session_id, EndReason reason, Deadline deadline);

  // From any thread: no session is added any more.
  void Close() { closed_.store(true); }
  bool closed() const { return closed_.load(); }
  std::int64_t capacity() const { return capacity_; }
  std::int64_t size() const { return live_.load(); }

  // Asks every session to end. From any thread.
  void EndAll(EndReason reason, Duration time_left);

 private:
  Awaitable<absl::Status> AddHere(std::shared_ptr<SessionHandle> handle);
  Awaitable<void> RemoveHere(std::shared_ptr<SessionHandle> handle);
  Awaitable<Sessions> ListHere();
  Awaitable<absl::Status> EndHere(std::string session_id, EndReason reason, Deadline deadline);
  Awaitable<void> WaitUntilLeft(std::shared_ptr<SessionHandle> handle);
  bool Holds(const std::shared_ptr<SessionHandle>& handle) const;
  bool Reserve();

  net::any_io_executor executor_;
  const std::int64_t capacity_;
  std::atomic<std::int64_t>& live_;
  std::atomic<bool> closed_ = false;
  std::map<std::string, std::shared_ptr<SessionHandle>, std::less<>> sessions_;
  SystemClock clock_;
  Event left_;  // One was removed.
};

}  // namespace voicebridge
