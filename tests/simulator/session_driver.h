// Moves bytes and time between a connection and its model; the only place with awaits of a session.
#pragma once

#include <boost/asio/any_io_executor.hpp>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>

#include "common/async/clock.h"
#include "common/async/event.h"
#include "common/async/mailbox.h"
#include "common/async/task_group.h"
#include "common/websocket/connection.h"
#include "tests/simulator/faults.h"
#include "tests/simulator/journal.h"
#include "tests/simulator/session_model.h"
#include "tests/simulator/speech.h"
#include "tests/simulator/wire.h"

namespace voicebridge::simulator {

// What sessions share; outlives them.
struct DriverServices {
  Clock& clock;
  SpeechThread& speech;
  LiveTasks& live_tasks;
  TaskGroup::OnFailure on_failure;
};

// One session: reads, writes and paces. A peer that does not read stops the pacing instead of
// filling a queue. Used on the executor of its connection. Shared with the speech that it asked
// for, which may come after its end.
class SessionDriver : public std::enable_shared_from_this<SessionDriver> {
 public:
  SessionDriver(const net::any_io_executor& executor, DriverServices services,
                std::unique_ptr<Connection> connection, std::unique_ptr<SessionModel> model,
                std::shared_ptr<SessionRecord> record, ActiveFaults faults);

  // Until the session has ended and all of it has stopped.
  Awaitable<void> Run();

  // One more fault for the session in progress, from its next event on.
  void Add(const Fault& fault);

 private:
  using Outgoing = Effect;  // SendEvent or CloseSession.

  Awaitable<void> Converse();
  Awaitable<void> Read();
  Awaitable<void> Write();
  Awaitable<bool> WriteOne(const Outgoing& outgoing);
  Awaitable<bool> WriteFlood();
  void BeginFlood();
  Awaitable<void> Pace();
  Awaitable<void> WaitUntilStirred();
  Awaitable<void> WaitUntilEnded();

  void Perform(Effects effects);
  void Speak(const SynthesizeSpeech& request);
  void CountWritten(const SendEvent& event);
  void CloseWith(std::uint64_t code);
  bool IsMutedNow() const;
  bool StopsReading() const;
  void Stir();
  void End();

  const net::any_io_executor executor_;
  const DriverServices services_;
  const std::unique_ptr<Connection> connection_;
  const std::unique_ptr<SessionModel> model_;
  const std::shared_ptr<SessionRecord> record_;
  ActiveFaults faults_;
  Wire wire_;
  Mailbox<Outgoing> outbox_;
  Event stirred_event_;
  Event ended_event_;
  std::optional<TimePoint> paced_until_;  // The deadline that the pacer knows.
  bool stirred_ = false;
  bool ended_ = false;
  bool update_seen_ = false;  // session.updated was at least queued.
  bool configured_ = false;   // session.updated was written.
  bool muted_ = false;
  bool flooding_ = false;
  bool flood_begun_ = false;
  bool flood_over_ = false;
  std::uint64_t read_ = 0;     // Client events.
  std::uint64_t written_ = 0;  // Server events.
  std::uint64_t flood_bytes_ = 0;
  TaskGroup tasks_;
};

}  // namespace voicebridge::simulator
