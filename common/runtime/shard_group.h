// The shards of a process and their threads.
#pragma once

#include <memory>
#include <thread>
#include <vector>

#include "common/core/deadline.h"
#include "common/runtime/shard.h"

namespace voicebridge {

// Owned by the composition root; calls come from the main thread, which runs no handlers.
class ShardGroup {
 public:
  explicit ShardGroup(std::vector<std::unique_ptr<Shard>> shards);
  ~ShardGroup();

  void Start();

  // Ends what is left on every shard: closes its tasks, cancels them, joins them until the
  // deadline. Returns the names of tasks that did not end.
  std::vector<std::string> SettleTasks(Deadline deadline);

  // Stops the loops and joins the threads. False when a thread did not come back by the deadline;
  // it is left running, and the process has to end with _exit.
  bool Stop(Deadline deadline);

  std::size_t size() const { return shards_.size(); }
  Shard& operator[](std::size_t index) { return *shards_[index]; }
  Shard& first() { return *shards_.front(); }

 private:
  std::vector<std::unique_ptr<Shard>> shards_;
  std::vector<std::thread> threads_;
};

}  // namespace voicebridge
