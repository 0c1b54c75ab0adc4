// Assessments that wait for their turn in this process. Pure.
#pragma once

#include <cstddef>
#include <deque>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "common/core/time.h"

namespace voicebridge::worker {

struct QueuedAssessment {
  std::string assessment_id;
  std::string session_id;
  TimePoint expires;
  std::string traceparent = {};
};

// First in, first out. Bounded by the sessions of the process and the assessments that it retries:
// each assessment stands in it once.
class AssessmentQueue {
 public:
  // False: it stands in the queue already.
  bool Push(QueuedAssessment entry);
  // To the front, for one that was taken out and could not be started.
  void PutBack(QueuedAssessment entry);
  std::optional<QueuedAssessment> TakeFirst();
  void Remove(std::string_view assessment_id);

  // Takes out those that have waited for too long.
  std::vector<QueuedAssessment> TakeExpired(TimePoint now);
  std::optional<TimePoint> NextExpiry() const;

  // Those whose position is not the one that was reported last; reports them. 1: next.
  struct Moved {
    std::string session_id;
    std::size_t position;
  };
  std::vector<Moved> TakeMoved();

  // 0: not in the queue.
  std::size_t PositionOf(std::string_view assessment_id) const;
  std::size_t size() const { return entries_.size(); }
  bool empty() const { return entries_.empty(); }

 private:
  struct Entry {
    QueuedAssessment assessment;
    std::size_t reported = 0;
  };

  std::deque<Entry> entries_;
};

}  // namespace voicebridge::worker
