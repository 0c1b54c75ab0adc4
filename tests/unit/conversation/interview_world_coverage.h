// Which kinds of events random interviews have met in which phase.
#pragma once

#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "tests/unit/conversation/interview_world_watch.h"

namespace voicebridge::worker {

class WorldCoverage {
 public:
  WorldCoverage();

  void Note(WorldPhase phase, const SeenEvent& seen);

  // Pairs that were to be met and were not, or were met though they cannot be; one per line.
  std::string Problems() const;
  bool IsComplete() const { return Problems().empty(); }
  // Kinds by phases, with counts; a dash stands for what cannot be.
  std::string Table() const;

 private:
  std::vector<std::string> kinds_;
  std::map<std::string, std::vector<unsigned>> counts_;
};

// Why this kind of event cannot come in this phase; empty: it can.
std::string_view WhyUnreachable(WorldPhase phase, std::string_view kind);

}  // namespace voicebridge::worker
