// The load of frames: every session sends audio at the pace of speech and gets it back.
#pragma once

#include <absl/status/statusor.h>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "tests/load/echo_ledger.h"
#include "tests/load/frame.h"
#include "tests/load/histogram.h"
#include "tests/load/options.h"
#include "tests/load/process_cost.h"
#include "tests/load/run_report.h"
#include "tests/load/schedule.h"
#include "tests/load/session_pool.h"

namespace voicebridge::load {

// Open loop: when a frame is sent depends on the schedule alone, and its round trip is counted from
// the scheduled instant. Whatever stalls, here or there, shows in full.
class FrameLoad final : private SessionPool::Listener {
 public:
  // The whole run. An error: it could not be done; what went wrong in it is in the report.
  static absl::StatusOr<RunReport> Run(EventLoop& loop, const LoadOptions& options);

 private:
  // Counted as late beyond this, because the schedule was not kept.
  static constexpr Duration kLate = milliseconds(1);

  struct Session {
    explicit Session(std::uint32_t frames) : ledger(frames) {}
    EchoLedger ledger;
    StreamDigest up;
    StreamDigest down;
  };

  FrameLoad(EventLoop& loop, const LoadOptions& options);

  void OnAudio(std::size_t session, std::string_view pcm) override;
  void OnEvent(std::size_t, std::string_view) override {}
  void TakeEcho(std::size_t session, std::string_view frame, Duration at);

  absl::Status RunSchedule();
  // Sends what is due; the instant at which the next frame is.
  TimePoint SendDue();
  void SendFrame(const SendSchedule::Slot& slot, TimePoint now);
  absl::Status LookWhenItBegins(Duration due);
  void WaitForEchoes(TimePoint deadline);
  RunReport Report() const;
  std::vector<std::string> Problems(const EchoCounts& counts, std::size_t digests_equal) const;

  EventLoop& loop_;
  const LoadOptions& options_;
  SendSchedule schedule_;
  std::unique_ptr<SessionPool> pool_;
  ProcessCost cost_;
  std::vector<Session> sessions_;
  std::string frame_;  // Reused.
  TimePoint start_;
  std::uint64_t run_id_;
  std::uint64_t next_ = 0;  // Of the schedule.
  std::uint64_t sent_ = 0;
  std::uint64_t echoed_ = 0;
  std::uint64_t unsent_ = 0;  // Their session was gone.
  std::uint64_t late_ = 0;
  bool begun_ = false;  // The time that is measured.
  Duration own_cpu_begin_{};
  Duration own_cpu_{};
  Histogram send_delays_;
  Histogram json_round_trips_;
  Histogram binary_round_trips_;
};

}  // namespace voicebridge::load
