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
#include "common/core/live_sessions.h"
#include "common/core/time.h"

namespace voicebridge {

// How others reach a session: by posting to its executor. The session shares it with the index, and
// empties the functions when it is over; they are called on `executor` only, and may be empty.
struct SessionHandle {
  std::string session_id;
  std::string profile;
  std::uint64_t epoch = 0;
  net::any_io_executor executor;
  std::function<void(EndReason, Deadline)> end;  // It is over, in good order, by the deadline.
  std::function<void(Deadline)> announce_drain;  // It goes on, and has to be over by then.
  std::function<void()> force;                   // What is left of it is cut off now.
  TimePoint added;                               // To the index; the index sets it.
  // Called once, on the index's executor, when it has left; set by the session before.
  std::function<void()> removed;
  // Set by the session before it leaves. The tasks are those that ignored their cancellation.
  EndReason end_reason = v1::END_REASON_UNSPECIFIED;
  std::vector<std::string> tasks_left;
};

// Told of a session that has left, on the index's executor; must not block.
using OnSessionLeft = std::function<void(const SessionHandle&)>;

// Lives on one shard; what is awaited may be awaited on any.
// Capacity is one atomic reservation. The fence of invariant 4 within a process: the higher epoch
// wins.
class SessionIndex {
 public:
  // `capacity` 0: no limit. `live` is kept for metrics and the watchdog.
  SessionIndex(net::any_io_executor executor, std::int64_t capacity, LiveSessions& live);

  // RESOURCE_EXHAUSTED when full, UNAVAILABLE once Close was called, ABORTED when a session of this
  // id has the same or a higher epoch; an older one is told to end as superseded and gives its
  // place.
  Awaitable<absl::Status> Add(std::shared_ptr<SessionHandle> handle);
  Awaitable<void> Remove(std::shared_ptr<SessionHandle> handle);

  using Sessions = std::vector<std::shared_ptr<const SessionHandle>>;
  Awaitable<Sessions> List();

  // Asks the session to end and waits until it has left. NOT_FOUND, DEADLINE_EXCEEDED.
  Awaitable<absl::Status> End(std::string session_id, EndReason reason, Deadline deadline);

  // From any thread: no session is added any more, until Reopen.
  void Close() { closed_.store(true); }
  void Reopen() { closed_.store(false); }
  bool closed() const { return closed_.load(); }
  std::int64_t capacity() const { return capacity_; }
  std::int64_t size() const { return live_.count(); }

  // The methods below may be called from any thread; they are carried out in the order of the
  // calls.

  // Hands the ids of all sessions to `done` on the index's executor. After Close none is added that
  // `done` has not seen.
  void ListIds(std::function<void(std::vector<std::string>)> done);
  // Every session is asked to end, told that it will have to, or cut off.
  void EndAll(EndReason reason, Deadline deadline);
  void AnnounceDrainToAll(Deadline deadline);
  void ForceAll();
  // Before the first session.
  void SetOnLeft(OnSessionLeft on_left) { on_left_ = std::move(on_left); }
  // Called when size() has changed, on the index's executor; must not block. Before the first
  // session.
  void SetOnCount(std::function<void()> on_count) { on_count_ = std::move(on_count); }

 private:
  Awaitable<absl::Status> AddHere(std::shared_ptr<SessionHandle> handle);
  Awaitable<void> RemoveHere(std::shared_ptr<SessionHandle> handle);
  Awaitable<Sessions> ListHere();
  Awaitable<absl::Status> EndHere(std::string session_id, EndReason reason, Deadline deadline);
  Awaitable<void> WaitUntilLeft(std::shared_ptr<SessionHandle> handle);
  bool Holds(const std::shared_ptr<SessionHandle>& handle) const;
  void Enter(std::shared_ptr<SessionHandle> handle);
  void Leave(const std::shared_ptr<SessionHandle>& handle);
  // `call` is handed each handle on the handle's own executor.
  template <class Call>
  void PostToAll(Call call);

  net::any_io_executor executor_;
  const std::int64_t capacity_;
  LiveSessions& live_;
  std::atomic<bool> closed_ = false;
  OnSessionLeft on_left_;
  std::function<void()> on_count_ = [] {};
  std::map<std::string, std::shared_ptr<SessionHandle>, std::less<>> sessions_;
  // In the order of their coming, superseded ones as well; the first of them are shown in `live_`.
  std::vector<std::shared_ptr<SessionHandle>> present_;
  SystemClock clock_;
  Event left_;  // One was removed.
};

}  // namespace voicebridge
