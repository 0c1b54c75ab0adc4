// The ends of sessions on their way to the store, written together.
#pragma once

#include <absl/status/status.h>

#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <vector>

#include "bridge_worker/store/store.h"

namespace voicebridge::worker {

// A drain ends all sessions of a worker at once, and a disk may take 10 ms for each write that is
// to last: one after the other would take longer than the drain may. So the first that the store
// gets to takes along all others that wait. Shared by the shards, which add, and the store's
// thread.
class SessionEnds : public std::enable_shared_from_this<SessionEnds> {
 public:
  // How many the database's other users wait for at a time.
  static constexpr std::size_t kTogetherMax = 256;

  // A job for the store, with the outcome of this session.
  std::function<absl::Status(Store&)> Add(SessionEnd end);

 private:
  struct Entry {
    SessionEnd end;
    std::optional<absl::Status> outcome;  // Of the store's thread alone; never UNAVAILABLE.
  };

  absl::Status Write(const std::shared_ptr<Entry>& wanted, Store& store);
  // With `wanted`, in the order of their ids: so two workers never wait for each other's rows.
  std::vector<std::shared_ptr<Entry>> Take(const std::shared_ptr<Entry>& wanted);

  std::mutex mutex_;
  std::vector<std::shared_ptr<Entry>> waiting_;  // Guarded by it.
};

}  // namespace voicebridge::worker
