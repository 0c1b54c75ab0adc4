// The simulator's HTTP and WebSocket surface.
#pragma once

#include <boost/asio/any_io_executor.hpp>
#include <cstdint>
#include <map>
#include <memory>
#include <random>
#include <string>
#include <string_view>

#include "common/http/http_server.h"
#include "tests/simulator/faults.h"
#include "tests/simulator/journal.h"
#include "tests/simulator/realtime_model.h"
#include "tests/simulator/reply_script.h"
#include "tests/simulator/responses_endpoint.h"
#include "tests/simulator/session_driver.h"

namespace voicebridge::simulator {

struct SimulatorOptions {
  bool strict = false;
  bool echo = false;  // Every session is a light one, whatever its model.
  std::uint64_t seed = 1;
  Duration response_latency{};
  Duration transcription_delay{};
  Duration responses_latency{};
  std::uint64_t audio_speed = 8;
  std::uint64_t interview_turns = 3;
};

// Owned by the composition root; everything runs on one thread. The services outlive it.
class SimulatorService final : public HttpService {
 public:
  SimulatorService(SimulatorOptions options, DriverServices services, Faults faults);

  Awaitable<HttpResponse> Respond(const HttpRequest& request) override;
  Awaitable<void> PrepareUpgrade(const HttpRequest& request) override;
  UpgradeDecision DecideUpgrade(const HttpRequest& request) override;
  Awaitable<void> Converse(HttpRequest request, AcceptUpgrade accepted,
                           std::unique_ptr<Connection> connection) override;

 private:
  HttpResponse Route(const HttpRequest& request);
  HttpResponse ServeFaults(const HttpRequest& request);
  HttpResponse AddFault(const HttpRequest& request);
  HttpResponse ServeScript(const HttpRequest& request);
  HttpResponse ServeJournal(const HttpRequest& request);

  std::shared_ptr<SessionRecord> OpenRecord(const HttpRequest& request);
  std::unique_ptr<SessionModel> MakeModel(SessionRecord& record, const ActiveFaults& faults,
                                          TimePoint now);

  const SimulatorOptions options_;
  const DriverServices services_;
  Faults faults_;
  Journal journal_;
  ReplyScript script_;
  std::random_device random_;
  ResponsesEndpoint responses_;
  std::uint64_t session_count_ = 0;
  std::map<std::string, std::weak_ptr<SessionDriver>, std::less<>> sessions_;
};

}  // namespace voicebridge::simulator
