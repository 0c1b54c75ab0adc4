#include "gateway/workers/worker_reports.h"

#include <cstddef>
#include <cstdint>
#include <memory>
#include <utility>
#include <vector>

#include "common/core/deadline.h"
#include "common/core/scoped_count.h"
#include "common/core/status.h"

namespace voicebridge::gateway {
namespace {

// All workers together; a page waits for 8 s.
constexpr Duration kAnswerMax = seconds(5);

// The worker has said something about the assessment, and not only about itself.
bool IsVerdict(absl::StatusCode code) {
  return code == absl::StatusCode::kOk || code == absl::StatusCode::kNotFound ||
         code == absl::StatusCode::kFailedPrecondition || code == absl::StatusCode::kInternal;
}

}  // namespace

Awaitable<absl::StatusOr<v1::GetReportResponse>> WorkerReports::Get(std::string session_id) {
  v1::GetReportRequest request;
  request.set_session_id(std::move(session_id));
  return AskInTurn<v1::GetReportResponse>(std::move(request), &WorkerLinks::PrepareGetReport);
}

Awaitable<absl::StatusOr<v1::RetryAssessmentResponse>> WorkerReports::Retry(
    std::string session_id) {
  v1::RetryAssessmentRequest request;
  request.set_session_id(std::move(session_id));
  return AskInTurn<v1::RetryAssessmentResponse>(std::move(request),
                                                &WorkerLinks::PrepareRetryAssessment);
}

template <class Response, class Request, class Prepare>
Awaitable<absl::StatusOr<Response>> WorkerReports::AskInTurn(Request request, Prepare prepare) {
  const std::vector<std::string> workers = AskingOrder(*environment_.workers.Current());
  const Clock& clock = shard_.clock();
  const Deadline deadline = Deadline::After(clock.Now(), kAnswerMax);
  bool all_answered = !workers.empty();
  for (std::size_t i = 0; i < workers.size(); ++i) {
    // A worker that hangs leaves their share to those behind it.
    const auto waiting = static_cast<std::int64_t>(workers.size() - i);
    const Duration share = deadline.Remaining(clock.Now()) / waiting;
    const auto call = (environment_.links.*prepare)(workers[i], request, shard_, share);
    const ScopedCount count(environment_.gauges.calls);
    absl::StatusOr<Response> answer = co_await call->Run();
    const bool cancelled = co_await IsCancelled();
    const absl::StatusCode code = answer.status().code();
    if (cancelled || (IsVerdict(code) && code != absl::StatusCode::kNotFound)) {
      co_return answer;
    }
    LogIfNoVerdict(workers[i], answer.status());
    all_answered = all_answered && IsVerdict(code);
  }
  if (all_answered) {
    co_return absl::NotFoundError("no worker knows an assessment of this session");
  }
  co_return Unavailable("not every worker could be asked");
}

void WorkerReports::LogIfNoVerdict(std::string_view address, const absl::Status& status) {
  if (!IsVerdict(status.code())) {
    logger_.Warning("report.not_answered", {{"worker", address},
                                            {"code", absl::StatusCodeToString(status.code())},
                                            {"message", Message(status)}});
  }
}

}  // namespace voicebridge::gateway
