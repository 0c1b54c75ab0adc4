#include "tests/load/frame_load.h"

#include <fmt/format.h>

#include <random>
#include <utility>

#include "common/core/status.h"

namespace voicebridge::load {
namespace {

constexpr Duration kLead = milliseconds(50);       // From the last session's opening to the start.
constexpr Duration kLookAhead = milliseconds(10);  // /proc is read before the measured frames.
constexpr int kBurstMax = 64;  // Frames sent in a row before sockets are looked at again.

std::uint32_t FramesPerSession(const LoadOptions& options) {
  return static_cast<std::uint32_t>((options.warmup + options.duration) / options.frame);
}

std::uint64_t NewRunId() {
  std::random_device random;
  return std::uint64_t{random()} << 32U | random();
}

Duration OpeningTime(std::size_t sessions) {
  return seconds(10) + milliseconds(20) * static_cast<int>(sessions);
}

}  // namespace

absl::StatusOr<RunReport> FrameLoad::Run(EventLoop& loop, const LoadOptions& options) {
  FrameLoad load(loop, options);
  auto pool = SessionPool::Create(loop, options, load);
  if (!pool.ok()) {
    return pool.status();
  }
  load.pool_ = *std::move(pool);
  absl::Status status = load.cost_.LookBefore();
  if (!status.ok()) {
    return status;
  }
  load.pool_->OpenAll(EventLoop::Now() + OpeningTime(options.sessions));
  fmt::print(stderr, "{} of {} sessions are open\n", load.pool_->opened(), options.sessions);
  if (load.pool_->failures().empty()) {
    status = load.RunSchedule();
  }
  load.pool_->CloseAll(EventLoop::Now() + seconds(2));
  return status.ok() ? absl::StatusOr<RunReport>(load.Report()) : status;
}

FrameLoad::FrameLoad(EventLoop& loop, const LoadOptions& options)
    : loop_(loop),
      options_(options),
      schedule_(options.sessions, options.frame, FramesPerSession(options), options.seed),
      cost_(options.pids),
      sessions_(options.sessions, Session(FramesPerSession(options))),
      run_id_(NewRunId()) {}

absl::Status FrameLoad::RunSchedule() {
  start_ = EventLoop::Now() + kLead;
  while (next_ < schedule_.total()) {
    absl::Status status = LookWhenItBegins(schedule_.At(next_).due);
    if (!status.ok()) {
      return status;
    }
    loop_.DispatchOnce(SendDue());
  }
  own_cpu_ = OwnCpu() - own_cpu_begin_;
  absl::Status status = cost_.LookAtEnd(sent_ + echoed_);
  fmt::print(stderr, "{} frames are sent, {} have come back\n", sent_, echoed_);
  WaitForEchoes(EventLoop::Now() + options_.settle);
  return status;
}

absl::Status FrameLoad::LookWhenItBegins(Duration due) {
  if (begun_ || due < options_.warmup - kLookAhead) {
    return absl::OkStatus();
  }
  begun_ = true;
  own_cpu_begin_ = OwnCpu();
  return cost_.LookAtBegin(sent_ + echoed_);
}

TimePoint FrameLoad::SendDue() {
  for (int burst = 0; burst < kBurstMax && next_ < schedule_.total(); ++burst) {
    const SendSchedule::Slot slot = schedule_.At(next_);
    const TimePoint now = EventLoop::Now();
    if (start_ + slot.due > now) {
      return start_ + slot.due;
    }
    SendFrame(slot, now);
    ++next_;
  }
  return EventLoop::Now();
}

void FrameLoad::SendFrame(const SendSchedule::Slot& slot, TimePoint now) {
  ClientSession& client = pool_->at(slot.session);
  if (!client.open()) {
    ++unsent_;
    return;
  }
  if (slot.due >= options_.warmup) {
    const Duration delay = now - (start_ + slot.due);
    send_delays_.Add(delay);
    late_ += delay > kLate ? 1 : 0;
  }
  WriteFrame({static_cast<std::uint32_t>(slot.session), slot.frame, slot.due.count(), run_id_},
             options_.frame_bytes(), frame_);
  Session& session = sessions_[slot.session];
  session.up.Add(frame_);
  session.ledger.Sent();
  ++sent_;
  client.SendAudio(frame_);
}

void FrameLoad::OnAudio(std::size_t session, std::string_view pcm) {
  const Duration at = EventLoop::Now() - start_;
  sessions_[session].down.Add(pcm);
  const std::size_t frame_bytes = options_.frame_bytes();
  for (; pcm.size() >= frame_bytes; pcm.remove_prefix(frame_bytes)) {
    TakeEcho(session, pcm.substr(0, frame_bytes), at);
  }
  if (!pcm.empty()) {
    sessions_[session].ledger.Foreign();
  }
}

void FrameLoad::TakeEcho(std::size_t session, std::string_view frame, Duration at) {
  EchoLedger& ledger = sessions_[session].ledger;
  const auto stamp = ReadStamp(frame);
  if (!stamp || stamp->run != run_id_ || stamp->session != session) {
    ledger.Foreign();
    return;
  }
  if (!ledger.Returned(stamp->sequence)) {
    return;
  }
  ++echoed_;
  const Duration due(stamp->due_ns);
  if (due >= options_.warmup) {
    Histogram& round_trips =
        pool_->at(session).wire() == Wire::kBinary ? binary_round_trips_ : json_round_trips_;
    round_trips.Add(at - due);
  }
}

void FrameLoad::WaitForEchoes(TimePoint deadline) {
  while (echoed_ < sent_ && EventLoop::Now() < deadline) {
    loop_.DispatchOnce(deadline);
  }
}

RunReport FrameLoad::Report() const {
  EchoCounts counts;
  std::size_t digests_equal = 0;
  for (const Session& session : sessions_) {
    counts.Add(session.ledger.counts());
    digests_equal += session.up.value() == session.down.value() ? 1 : 0;
  }
  Histogram round_trips = json_round_trips_;
  round_trips.Merge(binary_round_trips_);
  JsonText text = BeginReport(options_);
  text.Count("opened", pool_->opened())
      .Raw("open_ms", PercentilesToJson(pool_->open_times()))
      .Raw("frames", JsonText()
                         .Count("sent", counts.sent)
                         .Count("echoed", counts.echoed)
                         .Count("lost", counts.Lost())
                         .Count("duplicated", counts.duplicated)
                         .Count("reordered", counts.reordered)
                         .Count("foreign", counts.foreign)
                         .Count("unsent", unsent_)
                         .Count("late", late_)
                         .Object())
      .Raw("digests", JsonText()
                          .Count("equal", digests_equal)
                          .Count("different", sessions_.size() - digests_equal)
                          .Object())
      .Raw("round_trip_ms", PercentilesToJson(round_trips))
      .Raw("round_trip_json_ms", PercentilesToJson(json_round_trips_))
      .Raw("round_trip_binary_ms", PercentilesToJson(binary_round_trips_))
      .Raw("send_delay_ms", PercentilesToJson(send_delays_))
      .Count("relayed", cost_.units())
      .Number("own_cpu_us_per_frame",
              ToSeconds(own_cpu_) * 1e6 /
                  static_cast<double>(std::max<std::uint64_t>(cost_.units(), 1)))
      .Raw("processes", cost_.ToJson("frame", options_.sessions));
  return FinishReport(std::move(text), Problems(counts, digests_equal));
}

std::vector<std::string> FrameLoad::Problems(const EchoCounts& counts,
                                             std::size_t digests_equal) const {
  std::vector<std::string> problems;
  if (!pool_->failures().empty()) {
    problems.push_back(DescribeFailures(pool_->failures()));
  }
  const auto complain = [&problems](std::uint64_t count, std::string_view what) {
    if (count != 0) {
      problems.push_back(fmt::format("{} frames {}", count, what));
    }
  };
  complain(counts.Lost(), "were lost");
  complain(counts.duplicated, "came back twice");
  complain(counts.reordered, "came back out of order");
  complain(counts.foreign, "came back that this session never sent");
  complain(unsent_, "could not be sent: their session was gone");
  if (digests_equal != sessions_.size()) {
    problems.push_back(fmt::format("{} of {} sessions got other bytes back than they sent",
                                   sessions_.size() - digests_equal, sessions_.size()));
  }
  return problems;
}

}  // namespace voicebridge::load
