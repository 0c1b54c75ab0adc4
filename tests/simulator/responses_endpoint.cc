#include "tests/simulator/responses_endpoint.h"

#include <algorithm>
#include <utility>
#include <variant>

#include "common/core/status.h"
#include "common/core/wall_clock.h"
#include "tests/simulator/first_bytes.h"
#include "tests/simulator/responses_reply.h"

namespace voicebridge::simulator {
namespace {

// Pieces of a stream end anywhere, also inside of an event.
constexpr std::size_t kPieceBytes = 700;
constexpr Duration kBetweenReplyPieces = milliseconds(2);
// The longest time that a call is kept waiting by responses_hang.
constexpr Duration kHangMax = seconds(1800);
constexpr std::size_t kInputRecorded = 64U << 10U;

class StreamBody final : public HttpBodySource {
 public:
  // `hang_at`: where it stops for long; npos: nowhere.
  StreamBody(Clock& clock, std::string stream, std::size_t hang_at)
      : clock_(clock), stream_(std::move(stream)), hang_at_(hang_at) {}

  Awaitable<std::string> Next() override {
    const Duration pause = sent_ >= hang_at_ ? kHangMax : kBetweenReplyPieces;
    const Deadline next = Deadline::After(clock_.Now(), pause);
    co_await clock_.SleepUntil(next);
    const std::size_t size = sent_ < hang_at_ ? std::min(kPieceBytes, hang_at_ - sent_) : 0;
    std::string piece = sent_ < stream_.size() ? stream_.substr(sent_, size) : std::string();
    sent_ += piece.size();
    co_return piece;
  }

 private:
  Clock& clock_;
  const std::string stream_;
  const std::size_t hang_at_;
  std::size_t sent_ = 0;
};

HttpResponse ErrorResponse(unsigned status, const Refusal& refusal) {
  const std::string_view type = status == 429   ? "requests"
                                : status >= 500 ? "server_error"
                                                : "invalid_request_error";
  json::object error = {
      {"message", refusal.message},
      {"type", type},
      {"param", refusal.param.empty() ? json::value(nullptr) : json::value(refusal.param)},
      {"code", refusal.code}};
  json::object body;
  body["error"] = std::move(error);
  HttpResponse response{status, "application/json", json::serialize(body) + "\n"};
  if (status == 429) {
    response.headers.emplace_back("Retry-After", "1");
  }
  return response;
}

HttpResponse FailOnRequest(unsigned status) {
  const std::string_view code = status == 429   ? "rate_limit_exceeded"
                                : status == 401 ? "invalid_api_key"
                                : status >= 500 ? "server_error"
                                                : "invalid_request";
  return ErrorResponse(status, {std::string(code), fmt::format("Answered {} on request.", status)});
}

HttpResponse Refuse(CallRecord& record, unsigned status, const Refusal& refusal) {
  record.refusal = refusal.code;
  return ErrorResponse(status, refusal);
}

}  // namespace

Awaitable<HttpResponse> ResponsesEndpoint::Respond(const HttpRequest& request,
                                                   std::string_view key) {
  const std::shared_ptr<CallRecord> record = journal_.OpenCall();
  ActiveFaults faults = faults_.TakeForCall();
  record->at_ms = UnixNow() * 1000;
  record->key_sha256 = key.empty() ? "" : Digest::HexOf(key);
  record->faults = faults.ToJson();
  HttpResponse response = Answer(request, key, faults, *record);
  Duration pause = latency_ + faults.Milliseconds(FaultId::kResponsesDelay);
  if (faults.Has(FaultId::kResponsesHang) && response.more == nullptr) {
    pause = kHangMax;
  }
  if (pause > Duration::zero()) {
    const Deadline late = Deadline::After(clock_.Now(), pause);
    co_await clock_.SleepUntil(late);
  }
  record->status = response.status;
  co_return response;
}

HttpResponse ResponsesEndpoint::Answer(const HttpRequest& request, std::string_view key,
                                       ActiveFaults& faults, CallRecord& record) {
  if (key.empty() || key == "bad-key") {
    return Refuse(record, 401, {"invalid_api_key", "Incorrect API key provided."});
  }
  if (request.method != "POST") {
    return Refuse(record, 405, {"method_not_allowed", "Not allowed to use this method."});
  }
  const auto parsed = ParseResponsesRequest(request.body);
  if (const auto* refused = std::get_if<ResponsesRefusal>(&parsed)) {
    return Refuse(record, refused->status, refused->refusal);
  }
  const auto& asked = std::get<ResponsesRequest>(parsed);
  record.model = asked.model;
  record.stream = asked.stream;
  record.format = asked.format;
  record.input_bytes = asked.input.size();
  record.input = FirstBytes(asked.input, kInputRecorded);
  record.prompt = asked.prompt;
  journal_.CountPrompt(asked.prompt);
  if (const auto status = faults.Number(FaultId::kResponsesStatus)) {
    return FailOnRequest(static_cast<unsigned>(*status));
  }
  return Reply(asked, faults, record);
}

HttpResponse ResponsesEndpoint::Reply(const ResponsesRequest& request, ActiveFaults& faults,
                                      CallRecord& record) {
  const auto garbage = faults.Take(FaultId::kResponsesGarbage);
  const std::string word = garbage ? garbage->word : "";
  const bool truncated = word == "truncated";
  const ResponsesReply reply = ReplyTo(request, word, UnixNow(), ids_);
  record.text = reply.text;
  HttpResponse response;
  if (!request.stream) {
    response.content_type = "application/json";
    response.body = BodyOf(reply, truncated);
    return response;
  }
  const bool hangs = faults.Has(FaultId::kResponsesHang);
  response.content_type = "text/event-stream; charset=utf-8";
  response.more = std::make_shared<StreamBody>(
      clock_, StreamOf(reply, truncated), hangs ? reply.events.front().size() : std::string::npos);
  return response;
}

}  // namespace voicebridge::simulator
