#include "bridge_worker/interview/assessment_queue.h"

#include <algorithm>
#include <utility>

namespace voicebridge::worker {

bool AssessmentQueue::Push(QueuedAssessment entry) {
  if (PositionOf(entry.assessment_id) != 0) {
    return false;
  }
  entries_.push_back({std::move(entry)});
  return true;
}

void AssessmentQueue::PutBack(QueuedAssessment entry) {
  if (PositionOf(entry.assessment_id) == 0) {
    entries_.push_front({std::move(entry)});
  }
}

std::optional<QueuedAssessment> AssessmentQueue::TakeFirst() {
  if (entries_.empty()) {
    return std::nullopt;
  }
  QueuedAssessment first = std::move(entries_.front().assessment);
  entries_.pop_front();
  return first;
}

void AssessmentQueue::Remove(std::string_view assessment_id) {
  std::erase_if(entries_, [assessment_id](const Entry& entry) {
    return entry.assessment.assessment_id == assessment_id;
  });
}

std::vector<QueuedAssessment> AssessmentQueue::TakeExpired(TimePoint now) {
  std::vector<QueuedAssessment> expired;
  for (const Entry& entry : entries_) {
    if (entry.assessment.expires <= now) {
      expired.push_back(entry.assessment);
    }
  }
  std::erase_if(entries_, [now](const Entry& entry) { return entry.assessment.expires <= now; });
  return expired;
}

std::optional<TimePoint> AssessmentQueue::NextExpiry() const {
  // Not the first's: one that was put back may be older than those behind it, or younger.
  const auto first =
      std::min_element(entries_.begin(), entries_.end(), [](const Entry& left, const Entry& right) {
        return left.assessment.expires < right.assessment.expires;
      });
  return first == entries_.end() ? std::nullopt : std::optional(first->assessment.expires);
}

std::vector<AssessmentQueue::Moved> AssessmentQueue::TakeMoved() {
  std::vector<Moved> moved;
  for (std::size_t i = 0; i < entries_.size(); ++i) {
    Entry& entry = entries_[i];
    if (entry.reported != i + 1) {
      entry.reported = i + 1;
      moved.push_back({entry.assessment.session_id, entry.reported});
    }
  }
  return moved;
}

std::size_t AssessmentQueue::PositionOf(std::string_view assessment_id) const {
  for (std::size_t i = 0; i < entries_.size(); ++i) {
    if (entries_[i].assessment.assessment_id == assessment_id) {
      return i + 1;
    }
  }
  return 0;
}

}  // namespace voicebridge::worker
