// Who wants to be told of which session's assessment.
#pragma once

#include <map>
#include <memory>
#include <mutex>
#include <string>

#include "bridge_worker/interview/assessment_service.h"

namespace voicebridge::worker {

// A boundary between shards: every method may be called on any, and none of them waits. Put and
// Remove of a session are called on the executor of its listener.
class AssessmentListeners {
 public:
  // Replaces the one that the session had.
  void Put(const std::string& session_id, net::any_io_executor executor,
           AssessmentService::Listener listener);
  // The listener is not called after this.
  void Remove(const std::string& session_id);

  // Posts it to the listener's executor, in order; nothing happens when there is none.
  void Tell(const std::string& session_id, AssessmentUpdate update);

 private:
  struct Entry {
    net::any_io_executor executor;
    AssessmentService::Listener listener;
    bool removed = false;  // Read and written on `executor` only.
  };

  std::shared_ptr<Entry> Take(const std::string& session_id);

  std::mutex mutex_;
  std::map<std::string, std::shared_ptr<Entry>> entries_;  // Shared with what is posted.
};

}  // namespace voicebridge::worker
