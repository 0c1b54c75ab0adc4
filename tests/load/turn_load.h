// The load of conversations: every session speaks, commits, asks for the answer, listens, and
// begins again.
#pragma once

#include <absl/status/statusor.h>

#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <queue>
#include <string>
#include <vector>

#include "tests/load/histogram.h"
#include "tests/load/options.h"
#include "tests/load/process_cost.h"
#include "tests/load/run_report.h"
#include "tests/load/schedule.h"
#include "tests/load/session_pool.h"

namespace voicebridge::load {

// Push-to-talk against an upstream that answers, such as the simulator. Frames and the commit have
// scheduled instants; only the next turn waits, for the end of the answer. Times count from the
// scheduled commit.
class TurnLoad final : private SessionPool::Listener {
 public:
  static absl::StatusOr<RunReport> Run(EventLoop& loop, const LoadOptions& options);

 private:
  enum class Phase { kConfiguring, kSpeaking, kListening, kResting };

  struct Session {
    Phase phase = Phase::kConfiguring;
    std::uint32_t turn = 0;
    std::uint32_t frames_sent = 0;  // Of this turn.
    TimePoint turn_begin;
    TimePoint committed;
    std::uint64_t audio_bytes = 0;  // Of this turn.
  };
  struct Step {
    TimePoint due;
    std::size_t session;
    std::uint32_t turn;
    bool operator>(const Step& other) const { return due > other.due; }
  };

  TurnLoad(EventLoop& loop, const LoadOptions& options);

  void OnAudio(std::size_t session, std::string_view pcm) override;
  void OnEvent(std::size_t session, std::string_view type) override;

  absl::Status RunTurns();
  bool SomeoneWaits() const;
  void TakeStep(const Step& step);
  void BeginTurn(std::size_t session, TimePoint at);
  void SpeakOn(std::size_t session, TimePoint due);
  void CommitTurn(std::size_t session, TimePoint due);
  void EndTurn(std::size_t session);
  absl::Status LookWhenItBegins();
  bool Measures(const Session& session) const;
  RunReport Report() const;

  EventLoop& loop_;
  const LoadOptions& options_;
  SendSchedule phases_;
  std::unique_ptr<SessionPool> pool_;
  ProcessCost cost_;
  std::vector<Session> sessions_;
  std::map<std::size_t, std::string> silent_;  // By session: what did not come.
  std::priority_queue<Step, std::vector<Step>, std::greater<>> steps_;
  std::uint32_t frames_per_turn_;
  std::string speech_;  // One frame.
  TimePoint start_;
  TimePoint end_;
  bool begun_ = false;
  std::uint64_t turns_ = 0;
  std::uint64_t turns_without_audio_ = 0;
  std::uint64_t audio_bytes_ = 0;
  Histogram first_audio_;
  Histogram done_;
};

}  // namespace voicebridge::load
