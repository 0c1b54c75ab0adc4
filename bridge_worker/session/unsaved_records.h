// Which sessions have something that is not in the store yet.
#pragma once

#include <cstddef>
#include <deque>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "bridge_worker/store/lost_records.h"
#include "common/async/awaitable.h"
#include "common/async/clock.h"
#include "common/async/event.h"
#include "common/core/deadline.h"

namespace voicebridge::worker {

// Each record of a session enters and leaves once. Owned by the worker, outlives the records; what
// is not said otherwise may be called from any thread.
class UnsavedRecords {
 public:
  // Of those that were given up, the newest are remembered.
  static constexpr std::size_t kLostMax = 1000;

  UnsavedRecords(net::any_io_executor executor, LostRecords& lost);

  // A session may have several at a time: of an attachment that was superseded, and of its next.
  void Enter(const std::string& session_id);
  // All of it is stored, or is another owner's business by now.
  void Leave(const std::string& session_id);
  // Some of it will not be stored any more: named, and counted as lost.
  void GiveUp(const std::string& session_id);

  // What was given up until now has been told of; it is not named again.
  void ForgetLost();

  // Sessions with a record that is still being written, or was given up; each once.
  std::vector<std::string> names() const;
  // None is being written.
  bool empty() const;

  // On the executor. True: none is being written; false: the deadline came first.
  Awaitable<bool> WaitUntilEmpty(Clock& clock, Deadline deadline);

 private:
  Awaitable<void> WaitUntilEmpty();

  const net::any_io_executor executor_;
  LostRecords& counters_;
  const std::shared_ptr<Event> left_;  // Shared with what is posted. Used on the executor only.
  mutable std::mutex mutex_;           // Guards what follows.
  std::map<std::string, std::size_t> open_;
  std::deque<std::string> lost_;
};

}  // namespace voicebridge::worker
