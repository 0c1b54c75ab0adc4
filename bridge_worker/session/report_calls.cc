#include "bridge_worker/session/report_calls.h"

#include <algorithm>
#include <cstddef>
#include <string_view>
#include <utility>

#include "common/core/limits.h"
#include "common/core/scoped_count.h"
#include "common/core/status.h"

namespace voicebridge::worker {
namespace {

// The store's time; the answer needs some of the client's own to reach it.
constexpr Duration kAnswerMax = seconds(5);
constexpr Duration kReplyReserve = milliseconds(50);
// At the same time: each holds a job of the store.
constexpr std::int64_t kOpenMax = 256;
constexpr std::size_t kSessionIdMax = 64;
constexpr std::size_t kReportBytesMax = 256U << 10U;

Deadline AnswerBy(TimePoint now, Duration time_left) {
  return Deadline::After(now, std::min(kAnswerMax, time_left - kReplyReserve));
}

std::string_view WordOf(AssessmentState state) {
  switch (state) {
    case AssessmentState::kPending:
      return "pending";
    case AssessmentState::kRunning:
      return "running";
    case AssessmentState::kCompleted:
      return "completed";
    case AssessmentState::kFailed:
      return "failed";
  }
  return "";
}

// What a gateway distinguishes. A store that is overloaded is one to be asked again, and its own
// troubles are told as one.
absl::Status ForGateway(const absl::Status& status) {
  switch (status.code()) {
    case absl::StatusCode::kNotFound:
    case absl::StatusCode::kFailedPrecondition:
    case absl::StatusCode::kUnavailable:
    case absl::StatusCode::kDeadlineExceeded:
      return status;
    case absl::StatusCode::kResourceExhausted:
    case absl::StatusCode::kCancelled:
      return Unavailable("{}", Message(status));
    default:
      return absl::InternalError(Message(status));
  }
}

}  // namespace

void ReportCalls::Start(ReportLane lane) {
  lane.tasks.TrySpawn("accept report", AcceptGet(lane));
  lane.tasks.TrySpawn("accept retry", AcceptRetry(lane));
}

Awaitable<void> ReportCalls::AcceptGet(ReportLane lane) {
  const auto arm = [this, &lane](grpc::ServerContext* context, v1::GetReportRequest* request,
                                 GetCall::Call* call, void* tag) {
    service_.RequestGetReport(context, request, call, &lane.queue, &lane.queue, tag);
  };
  while (true) {
    auto call = co_await GetCall::Accept(lane.executor, arm);
    if (call == nullptr) {
      co_return;
    }
    lane.tasks.TrySpawn("get report", AnswerGet(lane, std::move(call)));
  }
}

Awaitable<void> ReportCalls::AcceptRetry(ReportLane lane) {
  const auto arm = [this, &lane](grpc::ServerContext* context, v1::RetryAssessmentRequest* request,
                                 RetryCall::Call* call, void* tag) {
    service_.RequestRetryAssessment(context, request, call, &lane.queue, &lane.queue, tag);
  };
  while (true) {
    auto call = co_await RetryCall::Accept(lane.executor, arm);
    if (call == nullptr) {
      co_return;
    }
    lane.tasks.TrySpawn("retry assessment", AnswerRetry(lane, std::move(call)));
  }
}

Awaitable<void> ReportCalls::AnswerGet(ReportLane lane, std::unique_ptr<GetCall> call) {
  const ScopedCount all(calls_);
  const ScopedCount open(open_);
  const Deadline deadline = AnswerBy(lane.clock.Now(), call->time_left());
  std::string session_id = call->request().session_id();
  absl::StatusOr<v1::GetReportResponse> answer = co_await Find(std::move(session_id), deadline);
  co_await call->Finish(std::move(answer), Deadline::After(lane.clock.Now(), limits::kCloseMax));
}

Awaitable<void> ReportCalls::AnswerRetry(ReportLane lane, std::unique_ptr<RetryCall> call) {
  const ScopedCount all(calls_);
  const ScopedCount open(open_);
  const Deadline deadline = AnswerBy(lane.clock.Now(), call->time_left());
  std::string session_id = call->request().session_id();
  absl::StatusOr<v1::RetryAssessmentResponse> answer =
      co_await Retry(std::move(session_id), deadline);
  co_await call->Finish(std::move(answer), Deadline::After(lane.clock.Now(), limits::kCloseMax));
}

Awaitable<absl::StatusOr<v1::GetReportResponse>> ReportCalls::Find(std::string session_id,
                                                                   Deadline deadline) {
  if (const absl::Status admitted = Admit(session_id); !admitted.ok()) {
    co_return admitted;
  }
  absl::StatusOr<AssessmentRecord> record = co_await queries_.Find(std::move(session_id), deadline);
  if (!record.ok()) {
    co_return ForGateway(record.status());
  }
  if (record->report_json.size() > kReportBytesMax) {
    co_return absl::InternalError(fmt::format("the report has {} bytes, more than {}",
                                              record->report_json.size(), kReportBytesMax));
  }
  v1::GetReportResponse response;
  response.set_assessment_id(record->assessment_id);
  response.set_state(std::string(WordOf(record->state)));
  if (record->state == AssessmentState::kCompleted) {
    response.set_report_json(std::move(record->report_json));
  } else if (record->state == AssessmentState::kFailed) {
    response.set_failure_reason(record->failure_reason);
  }
  co_return response;
}

Awaitable<absl::StatusOr<v1::RetryAssessmentResponse>> ReportCalls::Retry(std::string session_id,
                                                                          Deadline deadline) {
  if (const absl::Status admitted = Admit(session_id); !admitted.ok()) {
    co_return admitted;
  }
  if (draining_.load()) {
    co_return Unavailable("draining: no new assessments");
  }
  const absl::StatusOr<AssessmentRecord> record =
      co_await queries_.Retry(std::move(session_id), deadline);
  if (!record.ok()) {
    co_return ForGateway(record.status());
  }
  v1::RetryAssessmentResponse response;
  response.set_assessment_id(record->assessment_id);
  co_return response;
}

absl::Status ReportCalls::Admit(const std::string& session_id) const {
  if (session_id.empty() || session_id.size() > kSessionIdMax) {
    return absl::NotFoundError("session_id: expected 1 to 64 characters");
  }
  if (open_.load() > kOpenMax) {
    return Unavailable("{} calls about reports are open", kOpenMax);
  }
  return absl::OkStatus();
}

}  // namespace voicebridge::worker
