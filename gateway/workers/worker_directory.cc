#include "gateway/workers/worker_directory.h"

#include <algorithm>

namespace voicebridge::gateway {
namespace {

WorkerState StateOf(const v1::WorkerStatus& status) {
  switch (status.state()) {
    case v1::WorkerStatus::SERVING:
      return WorkerState::kServing;
    case v1::WorkerStatus::DRAINING:
      return WorkerState::kDraining;
    case v1::WorkerStatus::FULL:
      return WorkerState::kFull;
    default:
      return WorkerState::kUnknown;
  }
}

// sessions / capacity of a is below that of b, without a division by a capacity of 0.
bool IsLessLoaded(const WorkerView& a, const WorkerView& b) {
  return std::uint64_t{a.sessions} * std::max(b.capacity, 1U) <
         std::uint64_t{b.sessions} * std::max(a.capacity, 1U);
}

}  // namespace

WorkerDirectory::WorkerDirectory(const std::vector<std::string>& addresses) {
  for (const std::string& address : addresses) {
    Entry entry;
    entry.view.address = address;
    entries_.push_back(std::move(entry));
  }
}

WorkerDirectory::Entry* WorkerDirectory::Find(std::string_view address) {
  const auto found = std::find_if(entries_.begin(), entries_.end(), [&](const Entry& entry) {
    return entry.view.address == address;
  });
  return found == entries_.end() ? nullptr : &*found;
}

void WorkerDirectory::OnStatus(std::string_view address, const v1::WorkerStatus& status) {
  Entry* entry = Find(address);
  if (entry == nullptr ||
      (entry->start_id == status.start_id() && status.number() <= entry->number)) {
    return;
  }
  entry->start_id = status.start_id();
  entry->number = status.number();
  entry->view.state = StateOf(status);
  entry->view.sessions = status.sessions();
  entry->view.capacity = status.capacity();
}

void WorkerDirectory::OnWatchBroken(std::string_view address) {
  Entry* entry = Find(address);
  if (entry != nullptr && entry->view.state != WorkerState::kUnknown) {
    entry->view.state = WorkerState::kSuspect;
  }
}

std::shared_ptr<const std::vector<WorkerView>> WorkerDirectory::Snapshot() const {
  auto views = std::make_shared<std::vector<WorkerView>>();
  for (const Entry& entry : entries_) {
    views->push_back(entry.view);
  }
  return views;
}

std::optional<std::string> ChooseWorker(const std::vector<WorkerView>& workers,
                                        std::span<const std::string> excluded,
                                        std::uint64_t random) {
  std::vector<const WorkerView*> candidates;
  for (const WorkerView& worker : workers) {
    if (worker.state == WorkerState::kServing &&
        std::find(excluded.begin(), excluded.end(), worker.address) == excluded.end()) {
      candidates.push_back(&worker);
    }
  }
  if (candidates.empty()) {
    return std::nullopt;
  }
  const std::size_t count = candidates.size();
  const std::size_t first = random % count;
  // The second differs from the first whenever there are two.
  const std::size_t offset = count > 1 ? 1 + (random / count) % (count - 1) : 0;
  const std::size_t second = (first + offset) % count;
  return IsLessLoaded(*candidates[second], *candidates[first]) ? candidates[second]->address
                                                               : candidates[first]->address;
}

}  // namespace voicebridge::gateway
