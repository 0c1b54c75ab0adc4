// A DrainMachine with a clock set by hand, and what it asked for.
#pragma once

#include <gtest/gtest.h>

#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "common/drain/drain_machine.h"

namespace voicebridge {

inline DrainCommand Command(DrainMode mode, Duration budget = seconds(3)) {
  DrainCommand command;
  command.mode = mode;
  command.budget = budget;
  return command;
}

inline DrainCommand Exiting(DrainCommand command) {
  command.exit = true;
  return command;
}

inline DrainCommand OfFleet(DrainCommand command) {
  command.fleet = true;
  return command;
}

class DrainScript {
 public:
  explicit DrainScript(DrainMachine& machine) : machine_(machine) {}

  // Feeds an event now; what it led to is added to `effects`.
  template <class Event>
  DrainScript& Feed(Event event) {
    machine_.Handle(DrainEvent(std::move(event)), now_, effects);
    return *this;
  }

  // Lets time pass as a driver would: deadline after deadline.
  DrainScript& Advance(Duration duration) {
    const TimePoint until = now_ + duration;
    while (machine_.NextDeadline() && *machine_.NextDeadline() <= until) {
      now_ = std::max(now_, *machine_.NextDeadline());
      Feed(TimePassed{});
    }
    now_ = until;
    return *this;
  }

  // The newest effect of that kind; null: there is none.
  template <class Effect>
  const Effect* Last() const {
    for (auto effect = effects.rbegin(); effect != effects.rend(); ++effect) {
      if (const auto* found = std::get_if<Effect>(&*effect)) {
        return found;
      }
    }
    return nullptr;
  }

  template <class Effect>
  bool Has() const {
    return Last<Effect>() != nullptr;
  }

  // Milliseconds from the start of the script.
  template <class Effect>
  std::int64_t DeadlineOf() const {
    const auto since = Last<Effect>()->deadline.when() - start_;
    return std::chrono::duration_cast<milliseconds>(since).count();
  }

  TimePoint now() const { return now_; }

  DrainEffects effects;

 private:
  DrainMachine& machine_;
  const TimePoint start_{hours(1)};
  TimePoint now_ = start_;
};

}  // namespace voicebridge
