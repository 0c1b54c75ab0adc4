#include "bridge_worker/store/session_ends.h"

#include <algorithm>
#include <utility>

namespace voicebridge::worker {

std::function<absl::Status(Store&)> SessionEnds::Add(SessionEnd end) {
  auto entry = std::make_shared<Entry>(Entry{std::move(end), std::nullopt});
  {
    const std::lock_guard lock(mutex_);
    waiting_.push_back(entry);
  }
  return [self = shared_from_this(), entry = std::move(entry)](Store& store) {
    return self->Write(entry, store);
  };
}

absl::Status SessionEnds::Write(const std::shared_ptr<Entry>& wanted, Store& store) {
  if (wanted->outcome) {
    return *wanted->outcome;  // Another one has taken it along.
  }
  const std::vector<std::shared_ptr<Entry>> together = Take(wanted);
  std::vector<SessionEnd> ends;
  ends.reserve(together.size());
  for (const auto& entry : together) {
    ends.push_back(entry->end);
  }
  const std::vector<absl::Status> outcomes = store.EndSessions(ends);
  absl::Status own;
  const std::lock_guard lock(mutex_);
  for (std::size_t i = 0; i < together.size(); ++i) {
    own = together[i] == wanted ? outcomes[i] : own;
    if (absl::IsUnavailable(outcomes[i])) {
      waiting_.push_back(together[i]);
    } else {
      together[i]->outcome = outcomes[i];
    }
  }
  return own;
}

std::vector<std::shared_ptr<SessionEnds::Entry>> SessionEnds::Take(
    const std::shared_ptr<Entry>& wanted) {
  std::vector<std::shared_ptr<Entry>> taken = {wanted};
  {
    const std::lock_guard lock(mutex_);
    std::erase(waiting_, wanted);
    const std::size_t count = std::min(waiting_.size(), kTogetherMax - 1);
    const auto end = waiting_.begin() + static_cast<std::ptrdiff_t>(count);
    taken.insert(taken.end(), waiting_.begin(), end);
    waiting_.erase(waiting_.begin(), end);
  }
  const auto by_session = [](const auto& one, const auto& other) {
    return one->end.owner.session_id < other->end.owner.session_id;
  };
  std::sort(taken.begin(), taken.end(), by_session);
  return taken;
}

}  // namespace voicebridge::worker
