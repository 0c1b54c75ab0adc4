// Which worker may get a session. Pure.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "voicebridge/v1/bridge.pb.h"

namespace voicebridge::gateway {

enum class WorkerState {
  kUnknown,   // Never seen: not routed.
  kServing,
  kDraining,
  kFull,
  kSuspect,   // Its status stream broke or fell silent: no new sessions, existing ones go on.
};

struct WorkerView {
  std::string address;
  WorkerState state = WorkerState::kUnknown;
  std::uint32_t sessions = 0;
  std::uint32_t capacity = 0;
};

// What the workers' status streams say. Owned by the watch, used on its executor; the snapshots are
// immutable and may be read anywhere.
class WorkerDirectory {
 public:
  explicit WorkerDirectory(const std::vector<std::string>& addresses);

  // Ignored when it is older than what is known of the same start of that worker, or of an address
  // that is not in the list.
  void OnStatus(std::string_view address, const v1::WorkerStatus& status);

  // The stream broke, or was silent for too long.
  void OnWatchBroken(std::string_view address);

  std::shared_ptr<const std::vector<WorkerView>> Snapshot() const;

 private:
  struct Entry {
    WorkerView view;
    std::string start_id;
    std::uint64_t number = 0;
  };
  Entry* Find(std::string_view address);

  std::vector<Entry> entries_;
};

// Two random candidates among those that serve, and of the two the less loaded. nullopt: none is left.
// Deterministic in `random`.
std::optional<std::string> ChooseWorker(const std::vector<WorkerView>& workers,
                                        std::span<const std::string> excluded,
                                        std::uint64_t random);

}  // namespace voicebridge::gateway
