#include "bridge_worker/session/unsaved_records.h"

#include <algorithm>
#include <boost/asio/post.hpp>
#include <set>
#include <utility>

#include "common/async/first_to_finish.h"

namespace voicebridge::worker {

UnsavedRecords::UnsavedRecords(net::any_io_executor executor, LostRecords& lost)
    : executor_(std::move(executor)), counters_(lost), left_(std::make_shared<Event>(executor_)) {}

void UnsavedRecords::Enter(const std::string& session_id) {
  const std::lock_guard lock(mutex_);
  ++open_[session_id];
}

void UnsavedRecords::Leave(const std::string& session_id) {
  {
    const std::lock_guard lock(mutex_);
    const auto open = open_.find(session_id);
    if (open != open_.end() && --open->second == 0) {
      open_.erase(open);
    }
  }
  net::post(executor_, [left = left_] { left->Notify(); });
}

void UnsavedRecords::GiveUp(const std::string& session_id) {
  counters_.Count(RecordKind::kSession);
  {
    const std::lock_guard lock(mutex_);
    lost_.push_back(session_id);
    if (lost_.size() > kLostMax) {
      lost_.pop_front();
    }
  }
  Leave(session_id);
}

void UnsavedRecords::ForgetLost() {
  const std::lock_guard lock(mutex_);
  lost_.clear();
}

std::vector<std::string> UnsavedRecords::names() const {
  const std::lock_guard lock(mutex_);
  std::set<std::string> names(lost_.begin(), lost_.end());
  for (const auto& [session_id, records] : open_) {
    names.insert(session_id);
  }
  return {names.begin(), names.end()};
}

bool UnsavedRecords::empty() const {
  const std::lock_guard lock(mutex_);
  return open_.empty();
}

Awaitable<bool> UnsavedRecords::WaitUntilEmpty(Clock& clock, Deadline deadline) {
  co_await RunUntil(clock, deadline, WaitUntilEmpty());
  co_return empty();
}

Awaitable<void> UnsavedRecords::WaitUntilEmpty() {
  const auto is_empty = [this] { return empty(); };
  co_await left_->WaitUntil(is_empty);
}

}  // namespace voicebridge::worker
