#include "gateway/workers/worker_directory.h"

#include <algorithm>
#include <cstddef>
#include <utility>

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
    default:  // A state of a later version: not one to send sessions to.
      return WorkerState::kUnknown;
  }
}

std::uint64_t LoadOf(const WorkerView& worker) {
  return std::uint64_t{worker.sessions} + worker.attaching.count();
}

// Compares load/capacity without dividing; workers without a limit are compared by their load.
bool IsLessLoaded(const WorkerView& a, const WorkerView& b) {
  if (a.capacity == 0 || b.capacity == 0) {
    return LoadOf(a) < LoadOf(b);
  }
  return LoadOf(a) * b.capacity < LoadOf(b) * a.capacity;
}

}  // namespace

WorkerDirectory::WorkerDirectory(const std::vector<std::string>& addresses) { OnList(addresses); }

void WorkerDirectory::OnList(const std::vector<std::string>& addresses) {
  for (Worker& worker : workers_) {
    worker.listed = false;
  }
  for (const std::string& address : addresses) {
    Worker* worker = Find(address);
    if (worker == nullptr) {
      worker = &workers_.emplace_back();
      worker->view.address = address;
    }
    worker->listed = true;
  }
  std::erase_if(workers_, [](const Worker& worker) {
    return !worker.listed &&
           (worker.told == WorkerState::kUnknown || worker.told == WorkerState::kSuspect);
  });
  for (Worker& worker : workers_) {
    SetState(worker, worker.told);
  }
  Publish();
}

void WorkerDirectory::OnStatus(std::string_view address, const v1::WorkerStatus& status,
                               TimePoint now) {
  Worker* worker = Find(address);
  if (worker == nullptr) {
    return;
  }
  if (!worker->start_id || *worker->start_id != status.start_id()) {
    if (worker->previous_start_id == status.start_id()) {
      return;
    }
    worker->previous_start_id = std::exchange(worker->start_id, status.start_id());
  } else if (status.number() <= worker->number) {
    return;
  }
  worker->number = status.number();
  worker->silent_at = Deadline::After(now, kWorkerSilenceMax);
  SetState(*worker, StateOf(status));
  worker->view.sessions = status.sessions();
  worker->view.capacity = status.capacity();
  Publish();
}

void WorkerDirectory::OnWatchBroken(std::string_view address) {
  Worker* worker = Find(address);
  if (worker == nullptr) {
    return;
  }
  if (!worker->listed) {
    std::erase_if(workers_, [&](const Worker& each) { return &each == worker; });
  } else if (worker->told != WorkerState::kUnknown) {
    SetState(*worker, WorkerState::kSuspect);
  }
  Publish();
}

Deadline WorkerDirectory::SilentAt(std::string_view address) const {
  const Worker* worker = Find(address);
  return worker == nullptr ? Deadline::Never() : worker->silent_at;
}

WorkerDirectory::Worker* WorkerDirectory::Find(std::string_view address) {
  const auto worker = std::find_if(workers_.begin(), workers_.end(), [&](const Worker& each) {
    return each.view.address == address;
  });
  return worker == workers_.end() ? nullptr : &*worker;
}

const WorkerDirectory::Worker* WorkerDirectory::Find(std::string_view address) const {
  return const_cast<WorkerDirectory*>(this)->Find(address);
}

void WorkerDirectory::SetState(Worker& worker, WorkerState told) {
  worker.told = told;
  worker.view.state = worker.listed ? told : WorkerState::kDraining;
}

void WorkerDirectory::Publish() {
  WorkerViews views;
  views.reserve(workers_.size());
  for (const Worker& worker : workers_) {
    views.push_back(worker.view);
  }
  if (snapshot_ == nullptr || *snapshot_ != views) {
    snapshot_ = std::make_shared<const WorkerViews>(std::move(views));
  }
}

std::optional<std::string> ChooseWorker(const WorkerViews& workers,
                                        std::span<const std::string> excluded,
                                        std::uint64_t random) {
  std::vector<const WorkerView*> eligible;
  for (const WorkerView& worker : workers) {
    if (worker.state == WorkerState::kServing &&
        std::find(excluded.begin(), excluded.end(), worker.address) == excluded.end()) {
      eligible.push_back(&worker);
    }
  }
  if (eligible.empty()) {
    return std::nullopt;
  }
  if (eligible.size() == 1) {
    return eligible.front()->address;
  }
  // The halves of `random` pick the first and then one of the others.
  const std::size_t first = (random & 0xFFFFFFFFU) % eligible.size();
  const std::size_t step = 1 + (random >> 32U) % (eligible.size() - 1);
  const std::size_t second = (first + step) % eligible.size();
  const bool second_wins = IsLessLoaded(*eligible[second], *eligible[first]);
  return eligible[second_wins ? second : first]->address;
}

std::optional<UnansweredAttaches::Place> CountAttach(const WorkerViews& workers,
                                                     std::string_view address) {
  for (const WorkerView& worker : workers) {
    if (worker.address == address) {
      return worker.attaching.Enter();
    }
  }
  return std::nullopt;
}

std::vector<std::string> AskingOrder(const WorkerViews& workers) {
  constexpr WorkerState kOrder[] = {WorkerState::kServing, WorkerState::kFull,
                                    WorkerState::kDraining, WorkerState::kSuspect,
                                    WorkerState::kUnknown};
  std::vector<std::string> addresses;
  for (const WorkerState state : kOrder) {
    for (const WorkerView& worker : workers) {
      if (worker.state == state) {
        addresses.push_back(worker.address);
      }
    }
  }
  return addresses;
}

}  // namespace voicebridge::gateway
