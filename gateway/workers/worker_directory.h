// Which worker may get a session: the routing input and the choice. Pure.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "common/core/deadline.h"
#include "common/core/time.h"
#include "gateway/workers/unanswered_attaches.h"
#include "voicebridge/v1/bridge.pb.h"

namespace voicebridge::gateway {

enum class WorkerState {
  kUnknown,  // Never heard of.
  kServing,
  kDraining,
  kFull,
  kSuspect,  // The watch broke, or nothing was heard for kWorkerSilenceMax.
};

struct WorkerView {
  std::string address;
  WorkerState state = WorkerState::kUnknown;
  std::uint32_t sessions = 0;
  std::uint32_t capacity = 0;      // 0: no limit.
  UnansweredAttaches attaching{};  // Shared by all views of a worker.

  friend bool operator==(const WorkerView&, const WorkerView&) = default;
};

using WorkerViews = std::vector<WorkerView>;

// Four of the statuses that a worker pushes at least every 500 ms.
inline constexpr Duration kWorkerSilenceMax = seconds(2);

// What is known about each worker. Owned by shard 0 and used there only; other shards get
// snapshots.
class WorkerDirectory {
 public:
  explicit WorkerDirectory(const std::vector<std::string>& addresses);

  // The workers as they are listed now. One that is listed no more counts as draining for as long
  // as it is heard, whatever it says, and is then forgotten.
  void OnList(const std::vector<std::string>& addresses);
  bool Knows(std::string_view address) const { return Find(address) != nullptr; }

  // A number of the same start_id that has not risen is ignored; a new start_id is a new process at
  // that address.
  void OnStatus(std::string_view address, const v1::WorkerStatus& status, TimePoint now);
  // Its stream broke or could not be opened, or SilentAt has come.
  void OnWatchBroken(std::string_view address);

  // When the worker is to be given up unless news comes; what is ignored is no news. Never: nothing
  // was heard yet.
  Deadline SilentAt(std::string_view address) const;

  // An immutable value; the same one until something changes.
  std::shared_ptr<const WorkerViews> Snapshot() const { return snapshot_; }

 private:
  struct Worker {
    WorkerView view;
    bool listed = true;
    WorkerState told = WorkerState::kUnknown;  // What it said of itself, or kSuspect.
    std::optional<std::string> start_id;       // None: never heard of.
    // Its late statuses are no news: a start id never comes back.
    std::optional<std::string> previous_start_id;
    std::uint64_t number = 0;
    Deadline silent_at = Deadline::Never();
  };

  Worker* Find(std::string_view address);
  const Worker* Find(std::string_view address) const;
  static void SetState(Worker& worker, WorkerState told);
  void Publish();

  std::vector<Worker> workers_;
  std::shared_ptr<const WorkerViews> snapshot_;
};

// The less loaded of two serving workers that `random` picks among those not excluded. nullopt:
// there is none. Two choices spread sessions nearly as evenly as looking at all would, and gateways
// that act on the same picture do not all run to the same worker. Attaches of our own that are
// under way count: of many sessions that begin at once, most begin before the workers have said
// anything.
std::optional<std::string> ChooseWorker(const WorkerViews& workers,
                                        std::span<const std::string> excluded,
                                        std::uint64_t random);

// To be held from the choice until the worker has answered. nullopt: it is not among them.
std::optional<UnansweredAttaches::Place> CountAttach(const WorkerViews& workers,
                                                     std::string_view address);

// Every worker, those first that are most likely to answer a question about a stored session; a
// worker that is full or drains still answers.
std::vector<std::string> AskingOrder(const WorkerViews& workers);

}  // namespace voicebridge::gateway
