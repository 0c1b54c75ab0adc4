#include "common/runtime/shard_group.h"

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/use_future.hpp>
#include <future>
#include <string>
#include <utility>

namespace voicebridge {
namespace {

Awaitable<std::vector<std::string>> SettleShard(Shard& shard, Deadline deadline) {
  TaskGroup& tasks = shard.tasks();
  tasks.Close();
  tasks.CancelAll();
  co_await tasks.Join(shard.clock(), deadline);
  std::vector<std::string> unfinished;
  for (const std::string_view name : tasks.Unfinished()) {
    unfinished.emplace_back(name);
  }
  co_return unfinished;
}

}  // namespace

ShardGroup::ShardGroup(std::vector<std::unique_ptr<Shard>> shards) : shards_(std::move(shards)) {}

ShardGroup::~ShardGroup() = default;

void ShardGroup::Start() {
  for (const auto& shard : shards_) {
    threads_.emplace_back(&Shard::Run, shard.get());
  }
}

std::vector<std::string> ShardGroup::SettleTasks(Deadline deadline) {
  std::vector<std::future<std::vector<std::string>>> pending;
  for (const auto& shard : shards_) {
    pending.push_back(
        net::co_spawn(shard->executor(), SettleShard(*shard, deadline), net::use_future));
  }
  std::vector<std::string> unfinished;
  for (auto& future : pending) {
    // A wedged shard answers nothing: a little longer than its own deadline, then it is named as
    // such.
    if (future.wait_until(deadline.when() + milliseconds(20)) != std::future_status::ready) {
      unfinished.emplace_back("shard does not answer");
      continue;
    }
    for (std::string& name : future.get()) {
      unfinished.push_back(std::move(name));
    }
  }
  return unfinished;
}

bool ShardGroup::Stop(Deadline deadline) {
  for (const auto& shard : shards_) {
    shard->Stop();
  }
  bool all_joined = true;
  for (std::size_t i = 0; i < threads_.size(); ++i) {
    if (shards_[i]->WaitStopped(deadline)) {
      threads_[i].join();
    } else {
      threads_[i].detach();
      all_joined = false;
    }
  }
  threads_.clear();
  return all_joined;
}

}  // namespace voicebridge
