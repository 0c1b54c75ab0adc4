// `voicebridgectl talk`: one spoken turn through a gateway, without a browser.
#pragma once

#include <absl/status/status.h>

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/io_context.hpp>
#include <memory>
#include <string>

#include "common/async/clock.h"
#include "common/async/event.h"
#include "common/async/mailbox.h"
#include "common/async/task_group.h"
#include "common/core/secret.h"
#include "common/core/time.h"
#include "common/websocket/connect.h"
#include "common/websocket/connection.h"
#include "common/websocket/url.h"
#include "deploy/ctl/talk_machine.h"

namespace voicebridge::ctl {

struct TalkOptions {
  Url url;
  std::string speech_path;
  std::string profile;   // Empty: the gateway's default.
  std::string out_path;  // Empty: the answer is not written.
  Secret key;            // Empty: none is sent.
  std::string ca_file;   // Empty: the system's authorities.
  bool json = false;     // One JSON object instead of progress.
  bool realtime = false;
  Duration timeout = seconds(60);  // For all of it.
};

// Runs a TalkMachine over a WebSocket. Owned by RunTalk, used on one executor.
class Talk {
 public:
  Talk(const TalkOptions& options, std::string pcm, Clock& clock,
       const net::any_io_executor& executor);

  // The turn from connecting to closing, within options.timeout. Afterwards no task is left.
  Awaitable<void> Run();

  const absl::Status& status() const { return status_; }
  std::string Summary() const;      // For people.
  std::string JsonSummary() const;  // For machines.
  const std::string& reply() const { return machine_.result().pcm; }

 private:
  struct Outgoing {
    std::string json;  // Empty: the speech.
  };

  Awaitable<bool> Connect();
  Awaitable<void> Converse();
  Awaitable<void> Read();
  Awaitable<void> Write();
  Awaitable<bool> WriteSpeech();
  Awaitable<bool> WriteText(std::string_view json);
  Awaitable<void> Hang();

  void Perform(TalkEffects effects);
  void Perform(SendText effect);
  void Perform(SendSpeech effect);
  void Perform(const Print& effect);
  void Perform(const Finish& effect);
  void End(absl::Status status);

  const TalkOptions& options_;
  const std::string pcm_;
  Clock& clock_;
  const TimePoint begun_;
  const Deadline deadline_;
  TimePoint ended_;
  TalkMachine machine_;
  absl::Status status_;
  bool finished_ = false;
  Event changed_;
  Mailbox<Outgoing> outgoing_;
  std::unique_ptr<Connection> connection_;
  LiveTasks live_tasks_;
  TaskGroup tasks_;
};

// Reads the file, talks, writes the answer, prints. Returns the exit code. A name resolution that
// hangs may be left in `io`, whose destructor would wait for it.
int RunTalk(const TalkOptions& options, net::io_context& io);

}  // namespace voicebridge::ctl
