#include "bridge_worker/interview/assessment_listeners.h"

#include <boost/asio/post.hpp>
#include <utility>

namespace voicebridge::worker {

void AssessmentListeners::Put(const std::string& session_id, net::any_io_executor executor,
                              AssessmentService::Listener listener) {
  Remove(session_id);
  auto entry = std::make_shared<Entry>();
  entry->executor = std::move(executor);
  entry->listener = std::move(listener);
  const std::lock_guard lock(mutex_);
  entries_[session_id] = std::move(entry);
}

void AssessmentListeners::Remove(const std::string& session_id) {
  if (const std::shared_ptr<Entry> entry = Take(session_id)) {
    entry->removed = true;
  }
}

void AssessmentListeners::Tell(const std::string& session_id, AssessmentUpdate update) {
  std::shared_ptr<Entry> entry;
  {
    const std::lock_guard lock(mutex_);
    const auto found = entries_.find(session_id);
    if (found == entries_.end()) {
      return;
    }
    entry = found->second;
  }
  const net::any_io_executor executor = entry->executor;
  net::post(executor, [entry = std::move(entry), update = std::move(update)] {
    if (!entry->removed) {
      entry->listener(update);
    }
  });
}

std::shared_ptr<AssessmentListeners::Entry> AssessmentListeners::Take(
    const std::string& session_id) {
  const std::lock_guard lock(mutex_);
  const auto found = entries_.find(session_id);
  if (found == entries_.end()) {
    return nullptr;
  }
  std::shared_ptr<Entry> entry = std::move(found->second);
  entries_.erase(found);
  return entry;
}

}  // namespace voicebridge::worker
