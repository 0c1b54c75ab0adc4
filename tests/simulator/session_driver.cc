#include "tests/simulator/session_driver.h"

#include <boost/asio/post.hpp>
#include <utility>
#include <variant>

#include "common/async/first_to_finish.h"
#include "common/core/status.h"

namespace voicebridge::simulator {
namespace {

// Answers to a client that does not read them; then it is not read either.
constexpr std::size_t kOutboxHighWater = 4U << 20U;
// Generated audio waits here for the socket; above it the model is not asked for more.
constexpr std::size_t kPacingHighWater = 256U << 10U;
// The longest time that anything is kept open for a peer that does nothing.
constexpr Duration kPatience = hours(1);
constexpr Duration kCloseMax = seconds(2);

}  // namespace

SessionDriver::SessionDriver(const net::any_io_executor& executor, DriverServices services,
                             std::unique_ptr<Connection> connection,
                             std::unique_ptr<SessionModel> model,
                             std::shared_ptr<SessionRecord> record, ActiveFaults faults)
    : executor_(executor),
      services_(std::move(services)),
      connection_(std::move(connection)),
      model_(std::move(model)),
      record_(std::move(record)),
      faults_(std::move(faults)),
      wire_(*connection_, services_.clock),
      outbox_(executor, kOutboxHighWater, kOutboxHighWater / 2),
      stirred_event_(executor),
      ended_event_(executor),
      tasks_(executor, services_.live_tasks, services_.on_failure) {}

Awaitable<void> SessionDriver::Run() {
  record_->close_code = 1006;
  if (faults_.Has(FaultId::kDrop)) {
    wire_.Reset();
  } else {
    co_await Converse();
  }
  End();
  connection_->Abort();
  outbox_.Discard();
  tasks_.Close();
  tasks_.CancelAll();
  co_await tasks_.Join(services_.clock, Deadline::After(services_.clock.Now(), kPatience));
  record_->open = false;
}

void SessionDriver::Add(const Fault& fault) {
  faults_.Add(fault);
  record_->faults = faults_.ToJson();
  model_->AddFault(fault);
  if (fault.id == FaultId::kDrop) {
    wire_.Reset();
  }
  muted_ = muted_ || (fault.id == FaultId::kMute && !fault.number && configured_);
  if (fault.id == FaultId::kFlood && configured_) {
    flooding_ = true;
    BeginFlood();
  }
  if (fault.id == FaultId::kCloseWith && configured_) {
    CloseWith(*fault.number);
  }
}

Awaitable<void> SessionDriver::Converse() {
  Perform(model_->Start(services_.clock.Now()));
  tasks_.TrySpawn("simulator writer", Write());
  tasks_.TrySpawn("simulator pacer", Pace());
  co_await Read();
  // A session that stopped reading on purpose stays open.
  const Deadline patience = Deadline::After(services_.clock.Now(), kPatience);
  co_await RunUntil(services_.clock, patience, WaitUntilEnded());
}

Awaitable<void> SessionDriver::Read() {
  while (!StopsReading() && !ended_) {
    const Incoming incoming = co_await connection_->ReadUntilStopped();
    const TimePoint now = services_.clock.Now();
    ++read_;
    switch (incoming.kind) {
      case Incoming::Kind::kClosed:
        record_->close_code = incoming.close_code;
        End();
        co_return;
      case Incoming::Kind::kText:
        Perform(model_->HandleText(incoming.payload, now));
        break;
      case Incoming::Kind::kBinary:
        Perform(model_->HandleBinary(now));
        break;
    }
    co_await outbox_.WaitForRoom(services_.clock, Deadline::After(now, kPatience));
  }
}

// Decided after each message, never while a read is pending: a pending read answers a close frame.
bool SessionDriver::StopsReading() const {
  const bool silent = (faults_.Has(FaultId::kMute) && !faults_.Number(FaultId::kMute)) ||
                      faults_.Has(FaultId::kStalledPongs);
  const auto no_close_after = faults_.Number(FaultId::kNoClose);
  const bool enough = no_close_after ? read_ >= *no_close_after : update_seen_;
  return muted_ || (silent && update_seen_) || (faults_.Has(FaultId::kNoClose) && enough);
}

Awaitable<void> SessionDriver::Write() {
  bool going_on = true;
  while (going_on && !muted_) {
    std::optional<Outgoing> next = outbox_.TryPop();
    if (!next && flooding_) {
      going_on = co_await WriteFlood();
      continue;
    }
    if (!next) {
      next = co_await outbox_.Pop();
    }
    if (!next || muted_) {
      break;
    }
    going_on = co_await WriteOne(*next);
    Stir();
  }
  if (!muted_) {
    End();
  }
}

Awaitable<bool> SessionDriver::WriteOne(const Outgoing& outgoing) {
  const TimePoint now = services_.clock.Now();
  if (const auto* close = std::get_if<CloseSession>(&outgoing)) {
    record_->close_code = close->code;
    co_await connection_->Close(close->code, close->reason, Deadline::After(now, kCloseMax));
    co_return false;
  }
  const auto& event = std::get<SendEvent>(outgoing);
  const absl::Status status =
      co_await wire_.WriteText(event.text, faults_, Deadline::After(now, kPatience));
  if (!status.ok()) {
    co_return false;
  }
  CountWritten(event);
  const auto drop_after = faults_.Number(FaultId::kDropAfter);
  if (drop_after && written_ >= *drop_after) {
    wire_.Reset();
    co_return false;
  }
  co_return true;
}

Awaitable<bool> SessionDriver::WriteFlood() {
  if (!flood_begun_) {
    BeginFlood();
    co_return true;
  }
  const Effects effects = model_->FloodMore();
  for (const Effect& effect : effects) {
    const auto& event = std::get<SendEvent>(effect);
    flood_bytes_ += event.text.size();
    const bool written = co_await WriteOne(effect);
    if (!written) {
      co_return false;
    }
  }
  const auto limit = faults_.Number(FaultId::kFlood);
  flood_over_ = limit && flood_bytes_ >> 20U >= *limit;
  flooding_ = !flood_over_;
  co_return true;
}

// The opening events take the ordinary way, which also wakes the writer.
void SessionDriver::BeginFlood() {
  if (!flood_begun_) {
    flood_begun_ = true;
    Perform(model_->BeginFlood());
  }
}

void SessionDriver::CountWritten(const SendEvent& event) {
  ++written_;
  const bool first_update = !configured_ && event.type == "session.updated";
  configured_ = configured_ || first_update;
  flooding_ = faults_.Has(FaultId::kFlood) && configured_ && !flood_over_;
  muted_ = muted_ || IsMutedNow();
  if (first_update && faults_.Has(FaultId::kCloseWith)) {
    CloseWith(*faults_.Number(FaultId::kCloseWith));
  }
}

bool SessionDriver::IsMutedNow() const {
  const auto after = faults_.Number(FaultId::kMute);
  return faults_.Has(FaultId::kMute) && (after ? written_ >= *after : configured_);
}

// What is queued already goes out before it.
void SessionDriver::CloseWith(std::uint64_t code) {
  const bool refusal = code >= 3000;
  CloseSession close{static_cast<std::uint16_t>(code),
                     refusal ? "invalid_request_error.closed_on_request"
                             : "The server had an error while processing your request."};
  outbox_.Push(std::move(close), 0);
}

Awaitable<void> SessionDriver::Pace() {
  bool cancelled = co_await IsCancelled();
  while (!ended_ && !cancelled) {
    stirred_ = false;
    const bool blocked = outbox_.bytes() > kPacingHighWater;
    paced_until_ = model_->NextDeadline();
    const Deadline next =
        blocked || !paced_until_ ? Deadline::Never() : Deadline::At(*paced_until_);
    if (!next.HasPassed(services_.clock.Now())) {
      co_await RunUntil(services_.clock, next, WaitUntilStirred());
    }
    const TimePoint now = services_.clock.Now();
    if (!blocked && next.HasPassed(now)) {
      Perform(model_->HandleTime(now));
    }
    cancelled = co_await IsCancelled();
  }
}

Awaitable<void> SessionDriver::WaitUntilStirred() {
  const auto stirred = [this] { return stirred_; };
  co_await stirred_event_.WaitUntil(stirred);
}

Awaitable<void> SessionDriver::WaitUntilEnded() {
  const auto ended = [this] { return ended_; };
  co_await ended_event_.WaitUntil(ended);
}

void SessionDriver::Perform(Effects effects) {
  for (Effect& effect : effects) {
    if (const auto* speech = std::get_if<SynthesizeSpeech>(&effect)) {
      Speak(*speech);
      continue;
    }
    const auto* event = std::get_if<SendEvent>(&effect);
    update_seen_ = update_seen_ || (event != nullptr && event->type == "session.updated");
    const std::size_t bytes = event == nullptr ? 0 : event->text.size();
    outbox_.Push(std::move(effect), bytes);
  }
  if (model_->NextDeadline() != paced_until_) {
    Stir();
  }
}

void SessionDriver::Speak(const SynthesizeSpeech& request) {
  const std::uint64_t token = request.token;
  const auto deliver = [weak = weak_from_this(), executor = executor_, token](std::string pcm) {
    net::post(executor, [weak, token, pcm = std::move(pcm)]() mutable {
      if (const auto self = weak.lock(); self != nullptr && !self->ended_) {
        const TimePoint now = self->services_.clock.Now();
        self->Perform(self->model_->HandleSpeech(token, std::move(pcm), now));
      }
    });
  };
  if (!services_.speech.Request(request.text, request.voice, deliver)) {
    deliver("");
  }
}

void SessionDriver::Stir() {
  stirred_ = true;
  stirred_event_.Notify();
}

void SessionDriver::End() {
  ended_ = true;
  ended_event_.Notify();
  Stir();
}

}  // namespace voicebridge::simulator
