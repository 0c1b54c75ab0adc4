// realtime-simulator: a local stand-in for the OpenAI Realtime API.
#include <absl/flags/flag.h>
#include <absl/time/time.h>

#include <algorithm>
#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>
#include <cstdio>
#include <optional>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "common/config/flags.h"
#include "common/core/limits.h"
#include "common/core/status.h"
#include "common/http/http_server.h"
#include "common/process/leave.h"
#include "common/process/listening.h"
#include "common/process/signals.h"
#include "tests/simulator/simulator_service.h"

ABSL_FLAG(std::string, listen, "127.0.0.1:0", "HOST:PORT of everything; port 0 picks a free one.");
ABSL_FLAG(std::vector<std::string>, fault, {}, "NAME[:ARG], for all sessions; repeatable.");
ABSL_FLAG(bool, strict, false, "Close a session with 1008 at the first event that is refused.");
ABSL_FLAG(bool, echo, false, "Answer every append with the same audio; no speech, no turns.");
ABSL_FLAG(std::uint64_t, seed, 1, "Of the sizes of audio deltas.");
ABSL_FLAG(absl::Duration, ping_interval, absl::Seconds(20), "Of WebSocket pings; 0s: none.");
ABSL_FLAG(std::uint32_t, audio_speed, 8,
          "How many times faster than it lasts speech is generated.");
ABSL_FLAG(absl::Duration, response_latency, absl::Milliseconds(30), "Until the first output.");
ABSL_FLAG(absl::Duration, transcription_delay, absl::Milliseconds(50), "Of user audio.");
ABSL_FLAG(absl::Duration, responses_latency, absl::Milliseconds(50), "Of the Responses API.");
ABSL_FLAG(std::uint64_t, interview_turns, 3, "Of the user, then trigger_assessment; 0: never.");

namespace voicebridge::simulator {
namespace {

// Abseil keeps the last of equal flags: the faults become one flag.
std::vector<std::string> JoinFaults(int argc, char** argv) {
  static constexpr std::string_view kFlag = "--fault=";
  std::vector<std::string> arguments;
  std::string faults;
  for (int index = 0; index < argc; ++index) {
    const std::string_view word = argv[index];
    if (word.starts_with(kFlag)) {
      faults += faults.empty() ? "" : ",";
      faults += word.substr(kFlag.size());
    } else {
      arguments.emplace_back(word);
    }
  }
  if (!faults.empty()) {
    arguments.push_back(std::string(kFlag) + faults);
  }
  return arguments;
}

std::optional<int> Parse(int argc, char** argv) {
  std::vector<std::string> arguments = JoinFaults(argc, argv);
  std::vector<char*> words;
  for (std::string& argument : arguments) {
    words.push_back(argument.data());
  }
  words.push_back(nullptr);
  return ParseFlags(
      static_cast<int>(arguments.size()), words.data(),
      "realtime-simulator: a local stand-in for the OpenAI Realtime API.\n\n"
      "Faults, by --fault=NAME[:ARG] or POST /faults {\"fault\",\"arg\",\"session\","
      "\"count\",\"times\"}:\n" +
          ExplainFaults(),
      {"listen", "fault", "strict", "echo", "seed", "ping_interval", "audio_speed",
       "response_latency", "transcription_delay", "responses_latency", "interview_turns"});
}

absl::StatusOr<Faults> ReadFaults() {
  Faults faults;
  for (const std::string& text : absl::GetFlag(FLAGS_fault)) {
    absl::StatusOr<Fault> fault = ParseFault(std::string_view(text));
    if (!fault.ok()) {
      return fault.status();
    }
    faults.Add(*std::move(fault));
  }
  return faults;
}

SimulatorOptions ReadOptions() {
  SimulatorOptions options;
  options.strict = absl::GetFlag(FLAGS_strict);
  options.echo = absl::GetFlag(FLAGS_echo);
  options.seed = absl::GetFlag(FLAGS_seed);
  options.audio_speed = std::max<std::uint32_t>(1, absl::GetFlag(FLAGS_audio_speed));
  options.response_latency = absl::ToChronoNanoseconds(absl::GetFlag(FLAGS_response_latency));
  options.transcription_delay = absl::ToChronoNanoseconds(absl::GetFlag(FLAGS_transcription_delay));
  options.responses_latency = absl::ToChronoNanoseconds(absl::GetFlag(FLAGS_responses_latency));
  options.interview_turns = absl::GetFlag(FLAGS_interview_turns);
  return options;
}

HttpServerOptions ReadServerOptions() {
  HttpServerOptions options;
  options.listen = absl::GetFlag(FLAGS_listen);
  // The largest append that is to be refused with an error event, not a close code.
  options.message_bytes_max = 24U << 20U;
  options.body_bytes_max = 1U << 20U;
  options.ping_interval = absl::ToChronoNanoseconds(absl::GetFlag(FLAGS_ping_interval));
  return options;
}

void ReportFailure(std::string_view task, const std::string& what) {
  std::fprintf(stderr, "task '%.*s' failed: %s\n", static_cast<int>(task.size()), task.data(),
               what.c_str());
}

ExitCode Complain(const absl::Status& status) {
  std::fprintf(stderr, "realtime-simulator: %s\n", Message(status).c_str());
  return ExitCode::kBadConfiguration;
}

// Runs until a stop signal. Sessions are cut, not closed: the process leaves at once.
ExitCode Run(const StopSignals& signals) {
  absl::StatusOr<Faults> faults = ReadFaults();
  if (!faults.ok()) {
    return Complain(faults.status());
  }
  net::io_context io(1);
  const auto keep_running = net::make_work_guard(io);
  SystemClock clock;
  SpeechThread speech;
  LiveTasks live_tasks;
  TaskGroup connections(io.get_executor(), live_tasks, ReportFailure);
  SimulatorService service(ReadOptions(), DriverServices{clock, speech, live_tasks, ReportFailure},
                           *std::move(faults));
  HttpServer server(ReadServerOptions(), {HttpServer::Shard{io.get_executor(), &connections}},
                    service);
  const absl::StatusOr<std::string> address = server.Start();
  if (!address.ok()) {
    Leave(Complain(address.status()));
  }
  std::thread loop([&io] { io.run(); });
  AnnounceListener("simulator", *address);
  while (!signals.WaitFor(hours(24))) {
  }
  net::post(io, [&] {
    server.StopAccepting();
    Leave(ExitCode::kClean);  // Open sockets go with the process, which their peers notice at once.
  });
  loop.join();
  return ExitCode::kClean;
}

}  // namespace
}  // namespace voicebridge::simulator

int main(int argc, char** argv) {
  const voicebridge::StopSignals signals;
  if (const auto code = voicebridge::simulator::Parse(argc, argv)) {
    return *code;
  }
  voicebridge::Leave(voicebridge::simulator::Run(signals));
}
