#include "tests/simulator/simulator_service.h"

#include <algorithm>
#include <ctime>
#include <optional>
#include <utility>
#include <vector>

#include "common/core/ids.h"
#include "common/core/status.h"
#include "common/core/wall_clock.h"
#include "common/json/json.h"
#include "tests/simulator/connection_check.h"
#include "tests/simulator/echo_model.h"

namespace voicebridge::simulator {
namespace {

constexpr std::string_view kRealtimePath = "/v1/realtime";
constexpr std::string_view kResponsesPath = "/v1/responses";
constexpr std::string_view kKeyProtocol = "openai-insecure-api-key.";
constexpr Duration kRefusalMax = seconds(5);

HttpResponse JsonResponse(const json::object& object) {
  return HttpResponse{200, "application/json", json::serialize(object) + "\n"};
}

HttpResponse BadRequest(const absl::Status& status) {
  return JsonErrorResponse(400, "invalid_request_error", "invalid_request", Message(status));
}

HttpResponse MethodNotAllowed() {
  return JsonErrorResponse(405, "invalid_request_error", "method_not_allowed",
                           "This path does not know this method.");
}

std::string KeyOf(const HttpRequest& request) {
  static constexpr std::string_view kBearer = "Bearer ";
  const std::string_view header = request.Header("Authorization").value_or("");
  if (header.starts_with(kBearer)) {
    return std::string(header.substr(kBearer.size()));
  }
  for (const std::string_view protocol : request.HeaderList("Sec-WebSocket-Protocol")) {
    if (protocol.starts_with(kKeyProtocol)) {
      return std::string(protocol.substr(kKeyProtocol.size()));
    }
  }
  return "";
}

std::int64_t UnixMilliseconds() {
  std::timespec now{};
  std::timespec_get(&now, TIME_UTC);
  return static_cast<std::int64_t>(now.tv_sec) * 1000 + now.tv_nsec / 1'000'000;
}

Awaitable<void> RefuseConnection(Clock& clock, Connection& connection, SessionRecord& record,
                                 const ConnectionRefusal& refusal) {
  json::object error = {{"type", "invalid_request_error"},
                        {"code", refusal.refusal.code},
                        {"message", refusal.refusal.message},
                        {"param", nullptr},
                        {"event_id", nullptr}};
  const json::object event = {
      {"type", "error"}, {"event_id", NewId("event")}, {"error", std::move(error)}};
  const std::string text = json::serialize(event);
  const std::string reason = refusal.close_reason();
  record.AddRefusal("connect", refusal.refusal);
  record.CountSent("error");
  record.close_code = refusal.close_code;
  const Deadline deadline = Deadline::After(clock.Now(), kRefusalMax);
  const absl::Status written = co_await connection.WriteText(text, deadline);
  if (written.ok()) {
    co_await connection.Close(refusal.close_code, reason, deadline);
  }
  record.open = false;
}

}  // namespace

SimulatorService::SimulatorService(SimulatorOptions options, DriverServices services, Faults faults)
    : options_(options),
      services_(std::move(services)),
      faults_(std::move(faults)),
      responses_(services_.clock, faults_, journal_, options_.responses_latency, random_()) {}

Awaitable<HttpResponse> SimulatorService::Respond(const HttpRequest& request) {
  if (request.path == kResponsesPath) {
    const std::string key = KeyOf(request);
    co_return co_await responses_.Respond(request, key);
  }
  co_return Route(request);
}

HttpResponse SimulatorService::Route(const HttpRequest& request) {
  if (request.path == "/healthz") {
    return HttpResponse{200, "text/plain; charset=utf-8", "ok\n"};
  }
  if (request.path == "/faults") {
    return ServeFaults(request);
  }
  if (request.path == "/script") {
    return ServeScript(request);
  }
  if (request.path == "/journal" || request.path == "/journal/reset") {
    return ServeJournal(request);
  }
  return JsonErrorResponse(404, "invalid_request_error", "not_found",
                           fmt::format("Invalid URL ({} {})", request.method, request.path));
}

HttpResponse SimulatorService::ServeFaults(const HttpRequest& request) {
  if (request.method == "POST") {
    return AddFault(request);
  }
  if (request.method == "DELETE") {
    faults_.Clear();
  } else if (request.method != "GET") {
    return MethodNotAllowed();
  }
  return JsonResponse({{"faults", faults_.ToJson()}, {"known", FaultKindsToJson()}});
}

HttpResponse SimulatorService::AddFault(const HttpRequest& request) {
  const auto object = ParseObject(request.body);
  if (!object.ok()) {
    return BadRequest(object.status());
  }
  const absl::StatusOr<Fault> fault = ParseFault(*object);
  if (!fault.ok()) {
    return BadRequest(fault.status());
  }
  if (fault->session.empty()) {
    faults_.Add(*fault);
    return JsonResponse({{"faults", faults_.ToJson()}});
  }
  const auto entry = sessions_.find(fault->session);
  const auto session = entry == sessions_.end() ? nullptr : entry->second.lock();
  if (session == nullptr) {
    return BadRequest(InvalidArgument("session '{}' is not open", fault->session));
  }
  session->Add(*fault);
  return JsonResponse({{"faults", faults_.ToJson()}});
}

HttpResponse SimulatorService::ServeScript(const HttpRequest& request) {
  if (request.method == "DELETE") {
    script_.Clear();
    return JsonResponse({});
  }
  if (request.method != "POST") {
    return MethodNotAllowed();
  }
  const auto object = ParseObject(request.body);
  if (!object.ok()) {
    return BadRequest(object.status());
  }
  const absl::Status status = script_.Add(*object);
  return status.ok() ? JsonResponse({}) : BadRequest(status);
}

HttpResponse SimulatorService::ServeJournal(const HttpRequest& request) {
  const bool reset = request.path == "/journal/reset";
  if (reset ? request.method == "POST" : request.method == "DELETE") {
    journal_.Forget();
    return JsonResponse({});
  }
  if (reset || request.method != "GET") {
    return MethodNotAllowed();
  }
  return JsonResponse(journal_.ToJson(request.Query("session")));
}

Awaitable<void> SimulatorService::PrepareUpgrade(const HttpRequest& request) {
  if (request.path != kRealtimePath) {
    co_return;
  }
  if (const auto delay = faults_.TakeForUpgrade(FaultId::kAcceptDelay)) {
    const Deadline late = Deadline::After(services_.clock.Now(), milliseconds(*delay->number));
    co_await services_.clock.SleepUntil(late);
  }
}

UpgradeDecision SimulatorService::DecideUpgrade(const HttpRequest& request) {
  if (request.path != kRealtimePath) {
    return Route(request);
  }
  if (const auto refusal = faults_.TakeForUpgrade(FaultId::kRefuse)) {
    const auto status = static_cast<unsigned>(*refusal->number);
    return JsonErrorResponse(status, status >= 500 ? "server_error" : "invalid_request_error",
                             "refused", "Refused on request.");
  }
  if (KeyOf(request).empty()) {
    return JsonErrorResponse(401, "invalid_request_error", "",
                             "Missing bearer or basic authentication in header");
  }
  const std::vector<std::string_view> offered = request.HeaderList("Sec-WebSocket-Protocol");
  const bool realtime = std::find(offered.begin(), offered.end(), "realtime") != offered.end();
  return AcceptUpgrade{realtime ? "realtime" : ""};
}

Awaitable<void> SimulatorService::Converse(HttpRequest request, AcceptUpgrade,
                                           std::unique_ptr<Connection> connection) {
  const ActiveFaults faults = faults_.TakeForSession();
  const std::shared_ptr<SessionRecord> record = OpenRecord(request);
  record->faults = faults.ToJson();
  ConnectionRequest asked;
  asked.model = record->model;
  asked.key = KeyOf(request);
  asked.beta_header = request.Header("OpenAI-Beta").has_value();
  const std::optional<ConnectionRefusal> refusal =
      faults.Has(FaultId::kBadKey) ? BadKey(asked.key) : CheckConnection(asked);
  if (refusal) {
    co_await RefuseConnection(services_.clock, *connection, *record, *refusal);
    co_return;
  }
  const net::any_io_executor executor = co_await net::this_coro::executor;
  std::unique_ptr<SessionModel> model = MakeModel(*record, faults, services_.clock.Now());
  const auto driver = std::make_shared<SessionDriver>(executor, services_, std::move(connection),
                                                      std::move(model), record, faults);
  sessions_[record->id] = driver;
  co_await driver->Run();
  sessions_.erase(record->id);
}

std::shared_ptr<SessionRecord> SimulatorService::OpenRecord(const HttpRequest& request) {
  std::shared_ptr<SessionRecord> record = journal_.Open();
  record->id = NewId("sess");
  record->connected_at_ms = UnixMilliseconds();
  record->model = std::string(request.Query("model").value_or(""));
  record->user_agent = std::string(request.Header("User-Agent").value_or(""));
  record->key_sha256 = Digest::HexOf(KeyOf(request));
  return record;
}

std::unique_ptr<SessionModel> SimulatorService::MakeModel(SessionRecord& record,
                                                          const ActiveFaults& faults,
                                                          TimePoint now) {
  ModelOptions options;
  options.session_id = record.id;
  options.model = record.model;
  options.unix_now = UnixNow();
  options.id_seed = static_cast<std::uint64_t>(random_()) << 32U | random_();
  options.pacing_seed = options_.seed + 1'000'000 * ++session_count_;
  options.strict = options_.strict;
  options.response_latency = options_.response_latency;
  options.transcription_delay = options_.transcription_delay;
  options.audio_speed = options_.audio_speed;
  options.interview_turns = options_.interview_turns;
  options.faults = faults;
  if (const auto length = faults.Number(FaultId::kExpire)) {
    options.session_length = seconds(*length);
  }
  if (options_.echo || record.model == kEchoModel) {
    return std::make_unique<EchoModel>(std::move(options), record);
  }
  return std::make_unique<RealtimeModel>(std::move(options), record, script_, now);
}

}  // namespace voicebridge::simulator
