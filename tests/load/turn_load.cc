#include "tests/load/turn_load.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "tests/load/frame.h"

namespace voicebridge::load {
namespace {

constexpr std::string_view kPushToTalk = R"({"type":"session.update","session":{"type":"realtime",)"
                                         R"("audio":{"input":{"turn_detection":null}}}})";
constexpr std::string_view kCommit = R"({"type":"input_audio_buffer.commit"})";
constexpr std::string_view kCreate = R"({"type":"response.create"})";
constexpr Duration kAnswerMax = seconds(30);
constexpr Duration kLead = milliseconds(50);

Duration OpeningTime(std::size_t sessions) {
  return seconds(10) + milliseconds(20) * static_cast<int>(sessions);
}

}  // namespace

absl::StatusOr<RunReport> TurnLoad::Run(EventLoop& loop, const LoadOptions& options) {
  TurnLoad load(loop, options);
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
    status = load.RunTurns();
  }
  load.pool_->CloseAll(EventLoop::Now() + seconds(2));
  return status.ok() ? absl::StatusOr<RunReport>(load.Report()) : status;
}

TurnLoad::TurnLoad(EventLoop& loop, const LoadOptions& options)
    : loop_(loop),
      options_(options),
      phases_(options.sessions, options.frame, 1, options.seed),
      cost_(options.pids),
      sessions_(options.sessions),
      frames_per_turn_(static_cast<std::uint32_t>(options.utterance / options.frame)) {
  WriteFrame({}, options.frame_bytes(), speech_);
}

absl::Status TurnLoad::RunTurns() {
  start_ = EventLoop::Now() + kLead;
  end_ = start_ + options_.warmup + options_.duration;
  for (std::size_t i = 0; i < sessions_.size(); ++i) {
    pool_->at(i).SendEvent(kPushToTalk);
    steps_.push({start_ + kAnswerMax, i, 0});
  }
  while (EventLoop::Now() < end_ || SomeoneWaits()) {
    absl::Status status = LookWhenItBegins();
    if (!status.ok()) {
      return status;
    }
    while (!steps_.empty() && steps_.top().due <= EventLoop::Now()) {
      const Step step = steps_.top();
      steps_.pop();
      TakeStep(step);
    }
    loop_.DispatchOnce(steps_.empty() ? end_ : steps_.top().due);
  }
  fmt::print(stderr, "{} turns are done\n", turns_);
  return cost_.LookAtEnd(turns_);
}

bool TurnLoad::SomeoneWaits() const {
  for (std::size_t i = 0; i < sessions_.size(); ++i) {
    if (sessions_[i].phase == Phase::kListening && pool_->at(i).open()) {
      return true;
    }
  }
  return false;
}

// A step of an earlier turn is the end of its time, which was not needed.
void TurnLoad::TakeStep(const Step& step) {
  Session& session = sessions_[step.session];
  if (step.turn != session.turn || !pool_->at(step.session).open()) {
    return;
  }
  switch (session.phase) {
    case Phase::kConfiguring:
      silent_.try_emplace(step.session, "got no session.updated");
      session.phase = Phase::kResting;
      return;
    case Phase::kSpeaking:
      SpeakOn(step.session, step.due);
      return;
    case Phase::kListening:
      silent_.try_emplace(step.session, fmt::format("got no response.done in turn {}", step.turn));
      session.phase = Phase::kResting;
      return;
    case Phase::kResting:
      return;
  }
}

void TurnLoad::BeginTurn(std::size_t session, TimePoint at) {
  Session& state = sessions_[session];
  if (at >= end_) {
    state.phase = Phase::kResting;
    return;
  }
  state.phase = Phase::kSpeaking;
  ++state.turn;
  state.frames_sent = 0;
  state.audio_bytes = 0;
  state.turn_begin = at;
  steps_.push({at, session, state.turn});
}

// The last frame's interval passes before the commit, as it does when somebody speaks.
void TurnLoad::SpeakOn(std::size_t session, TimePoint due) {
  Session& state = sessions_[session];
  if (due >= end_) {
    state.phase = Phase::kResting;
    return;
  }
  if (state.frames_sent == frames_per_turn_) {
    CommitTurn(session, due);
    return;
  }
  pool_->at(session).SendAudio(speech_);
  ++state.frames_sent;
  steps_.push({state.turn_begin + options_.frame * state.frames_sent, session, state.turn});
}

void TurnLoad::CommitTurn(std::size_t session, TimePoint due) {
  Session& state = sessions_[session];
  state.phase = Phase::kListening;
  state.committed = due;
  pool_->at(session).SendEvent(kCommit);
  pool_->at(session).SendEvent(kCreate);
  steps_.push({due + kAnswerMax, session, state.turn});
}

void TurnLoad::OnAudio(std::size_t session, std::string_view pcm) {
  Session& state = sessions_[session];
  if (state.phase == Phase::kListening && state.audio_bytes == 0 && Measures(state)) {
    first_audio_.Add(EventLoop::Now() - state.committed);
  }
  state.audio_bytes += pcm.size();
  audio_bytes_ += pcm.size();
}

void TurnLoad::OnEvent(std::size_t session, std::string_view type) {
  Session& state = sessions_[session];
  if (type == "session.updated" && state.phase == Phase::kConfiguring) {
    BeginTurn(session, std::max(start_, EventLoop::Now()) + phases_.PhaseOf(session));
  } else if (type == "response.done" && state.phase == Phase::kListening) {
    EndTurn(session);
  }
}

void TurnLoad::EndTurn(std::size_t session) {
  Session& state = sessions_[session];
  const TimePoint now = EventLoop::Now();
  if (Measures(state)) {
    done_.Add(now - state.committed);
  }
  ++turns_;
  turns_without_audio_ += state.audio_bytes == 0 ? 1 : 0;
  BeginTurn(session, now + options_.frame);
}

absl::Status TurnLoad::LookWhenItBegins() {
  if (begun_ || EventLoop::Now() < start_ + options_.warmup) {
    return absl::OkStatus();
  }
  begun_ = true;
  return cost_.LookAtBegin(turns_);
}

bool TurnLoad::Measures(const Session& session) const {
  return session.committed >= start_ + options_.warmup;
}

RunReport TurnLoad::Report() const {
  std::map<std::size_t, std::string> failures = pool_->failures();
  failures.insert(silent_.begin(), silent_.end());
  std::vector<std::string> problems;
  if (!failures.empty()) {
    problems.push_back(DescribeFailures(failures));
  }
  if (turns_without_audio_ != 0) {
    problems.push_back(fmt::format("{} turns were answered without audio", turns_without_audio_));
  }
  if (turns_ == 0) {
    problems.emplace_back("no turn was completed");
  }
  JsonText text = BeginReport(options_);
  text.Number("utterance_s", ToSeconds(options_.utterance))
      .Count("opened", pool_->opened())
      .Raw("open_ms", PercentilesToJson(pool_->open_times()))
      .Count("turns", turns_)
      .Count("audio_bytes", audio_bytes_)
      .Raw("commit_to_first_audio_ms", PercentilesToJson(first_audio_))
      .Raw("commit_to_done_ms", PercentilesToJson(done_))
      .Raw("processes", cost_.ToJson("turn", options_.sessions));
  return FinishReport(std::move(text), std::move(problems));
}

}  // namespace voicebridge::load
