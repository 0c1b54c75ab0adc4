// What a process does beside its sessions, as a drain sees it.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "common/core/deadline.h"

namespace voicebridge {

// Called on the main thread; every method returns at once. `done` is called on any thread, with the
// names (sessions, assessments) of what could not be stored; it may come late or never.
class BackgroundWork {
 public:
  using Done = std::function<void(std::vector<std::string> not_stored)>;

  virtual ~BackgroundWork() = default;

  // Nothing new is begun.
  virtual void Hold() = 0;
  // What runs is cancelled and put back.
  virtual void Stop(Deadline deadline, Done done) = 0;
  // What sessions and background work leave is written.
  virtual void Save(Deadline deadline, Done done) = 0;
  // What is not saved now; must not wait for a thread that may be stuck.
  virtual std::vector<std::string> Unsaved() = 0;
  // After a drain that was undone.
  virtual void Resume() = 0;
};

// A gateway's.
class NoBackgroundWork final : public BackgroundWork {
 public:
  void Hold() override {}
  void Stop(Deadline, Done done) override { done({}); }
  void Save(Deadline, Done done) override { done({}); }
  std::vector<std::string> Unsaved() override { return {}; }
  void Resume() override {}
};

}  // namespace voicebridge
