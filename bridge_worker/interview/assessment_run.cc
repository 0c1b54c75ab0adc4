#include "bridge_worker/interview/assessment_run.h"

#include <algorithm>
#include <utility>

#include "bridge_worker/interview/assessment.h"
#include "common/async/first_to_finish.h"
#include "common/core/status.h"

namespace voicebridge::worker {
namespace {

constexpr std::uint32_t kBudgetSeconds = 120;  // When the profile says nothing.
constexpr std::uint32_t kAttempts = 3;
constexpr Duration kBackOff = milliseconds(500);
constexpr Duration kBackOffMax = seconds(8);
// A lease that cannot be renewed within this is tried at the next third.
constexpr Duration kRenewMax = seconds(3);
// A report is worth some patience with a store that is away.
constexpr Duration kResultMax = seconds(60);

bool IsLost(const absl::Status& status) {
  return status.code() == absl::StatusCode::kAborted ||
         status.code() == absl::StatusCode::kNotFound;
}

// The store is there, and does not take it.
bool IsRefused(const absl::Status& status) {
  return status.code() == absl::StatusCode::kInternal ||
         status.code() == absl::StatusCode::kInvalidArgument ||
         status.code() == absl::StatusCode::kResourceExhausted;
}

}  // namespace

AssessmentRun::AssessmentRun(const AssessmentTools& tools, AssessmentRecord record,
                             const net::any_io_executor& executor,
                             std::function<void(unsigned)> on_attempt)
    : tools_(tools),
      record_(std::move(record)),
      on_attempt_(std::move(on_attempt)),
      trace_(ContinueTrace(record_.traceparent)),
      logger_(tools.logger, trace_.trace_id),
      began_(tools.clock.Now()),
      claim_(record_.claim),
      stop_(executor) {}

void AssessmentRun::Stop(Deadline deadline) {
  stopping_ = true;
  stop_deadline_ = stop_deadline_.EarlierOf(deadline);
  stop_.Notify();
}

Awaitable<AssessmentRun::End> AssessmentRun::Run() {
  co_await FirstToFinish(Work(), WaitForStop());
  const bool cancelled = co_await IsCancelled();
  if (cancelled) {
    co_return End::kNotReleased;  // The process ends by force: its lease frees it.
  }
  if (concluded_) {
    co_return co_await WriteResult();
  }
  if (lost_) {
    LogEnd(LogLevel::kWarning, "assessment.lost", "claimed_elsewhere");
    co_return End::kLost;
  }
  co_return co_await Release();
}

Awaitable<void> AssessmentRun::Work() { co_await FirstToFinish(AskModel(), KeepLease()); }

Awaitable<void> AssessmentRun::WaitForStop() {
  const auto is_stopping = [this] { return stopping_; };
  co_await stop_.WaitUntil(is_stopping);
}

// Until the claim is lost.
Awaitable<void> AssessmentRun::KeepLease() {
  for (;;) {
    const bool slept = co_await tools_.clock.SleepUntil(In(tools_.limits.lease / 3));
    if (!slept) {
      co_return;
    }
    const std::uint64_t claim = claim_;
    const absl::Status status =
        co_await tools_.records.Renew(record_.assessment_id, claim, In(kRenewMax));
    const bool cancelled = co_await IsCancelled();
    if (cancelled) {
      co_return;
    }
    if (IsLost(status) && claim == claim_) {
      lost_ = true;
      co_return;
    }
  }
}

void AssessmentRun::Conclude(Result result) {
  result_ = std::move(result);
  concluded_ = true;
}

Awaitable<void> AssessmentRun::AskModel() {
  const auto profile = tools_.profiles.find(record_.profile);
  if (profile == tools_.profiles.end() || !profile->second.has_assessment()) {
    LogEnd(LogLevel::kError, "assessment.attempt_failed", "unknown_profile");
    Conclude({"", "model_unavailable"});
    co_return;
  }
  const v1::Assessment& assessment = profile->second.assessment();
  const absl::StatusOr<std::string> body = AssessmentRequestBody(assessment, record_.request_json);
  if (!body.ok()) {
    LogEnd(LogLevel::kError, "assessment.attempt_failed", "unreadable_input");
    Conclude({"", "model_unavailable"});
    co_return;
  }
  co_await Attempt(assessment, *body);
}

Awaitable<void> AssessmentRun::Attempt(const v1::Assessment& assessment, const std::string& body) {
  const std::uint32_t budget_seconds = assessment.budget_seconds();
  const Deadline budget = In(seconds(budget_seconds == 0 ? kBudgetSeconds : budget_seconds));
  const std::uint32_t attempts = assessment.attempts() == 0 ? kAttempts : assessment.attempts();
  for (attempt_ = 1;; ++attempt_) {
    on_attempt_(attempt_);
    const Deadline limit = AttemptDeadline(budget, attempt_ == attempts);
    std::string traceparent = FormatTraceparent(trace_);
    const ResponsesAnswer answer =
        co_await tools_.client.Create(body, std::move(traceparent), limit);
    const bool cancelled = co_await IsCancelled();
    if (cancelled) {
      co_return;
    }
    Verdict verdict = Judge(assessment, answer);
    tools_.metrics.CountAttempt(verdict.outcome);
    if (verdict.result.failure_reason.empty()) {
      Conclude(std::move(verdict.result));
      co_return;
    }
    const std::string why = verdict.result.failure_reason + ": " + verdict.detail;
    LogEnd(LogLevel::kWarning, "assessment.attempt_failed", why);
    const Duration wait = BackOff(verdict);
    const bool in_budget = wait < budget.Remaining(tools_.clock.Now());
    if (verdict.is_final || attempt_ >= attempts || !in_budget) {
      Conclude(std::move(verdict.result));
      co_return;
    }
    const bool slept = co_await tools_.clock.SleepUntil(In(wait));
    if (!slept) {
      co_return;
    }
  }
}

// Half of what is left, so that a call which hangs leaves time for another; the last gets it all.
Deadline AssessmentRun::AttemptDeadline(Deadline budget, bool is_last) const {
  const Duration left = budget.Remaining(tools_.clock.Now());
  return is_last ? budget : In(left / 2).EarlierOf(budget);
}

AssessmentRun::Verdict AssessmentRun::Judge(const v1::Assessment& assessment,
                                            const ResponsesAnswer& answer) {
  Verdict verdict;
  verdict.detail = answer.detail;
  verdict.wait = answer.retry_after;
  verdict.is_final = answer.outcome == ResponsesAnswer::Outcome::kRejected;
  switch (answer.outcome) {
    case ResponsesAnswer::Outcome::kText: {
      absl::StatusOr<std::string> report = CheckReport(assessment, answer.text);
      if (report.ok()) {
        verdict.result.report_json = *std::move(report);
      } else {
        verdict.result.failure_reason = "model_output";
        verdict.detail = Message(report.status());
        verdict.outcome = AttemptOutcome::kUnusable;
      }
      break;
    }
    case ResponsesAnswer::Outcome::kRefused:
      verdict.result.failure_reason = "model_refused";
      verdict.outcome = AttemptOutcome::kRefused;
      break;
    case ResponsesAnswer::Outcome::kIncomplete:
      verdict.result.failure_reason = "model_output";
      verdict.outcome = AttemptOutcome::kUnusable;
      break;
    case ResponsesAnswer::Outcome::kRejected:
      verdict.result.failure_reason = "model_unavailable";
      verdict.outcome = AttemptOutcome::kRejected;
      break;
    case ResponsesAnswer::Outcome::kUnavailable:
      verdict.outcome = AttemptOutcome::kUnavailable;
      verdict.result.failure_reason = answer.detail == "timeout" ? "timeout" : "model_unavailable";
      break;
  }
  return verdict;
}

// Spread by up to a quarter, so that assessments which failed together do not come back together.
Duration AssessmentRun::BackOff(const Verdict& verdict) const {
  if (verdict.wait) {
    return *verdict.wait;
  }
  const Duration doubled = std::min(kBackOff * (1 << std::min(attempt_ - 1, 8U)), kBackOffMax);
  const std::size_t hash = std::hash<std::string>()(record_.assessment_id) + attempt_;
  return doubled - doubled * static_cast<Duration::rep>(hash % 64) / 256;
}

// Once more when the claim was replaced by a newer one of ours.
Awaitable<absl::Status> AssessmentRun::Write(bool completed) {
  const Deadline deadline = In(kResultMax).EarlierOf(stop_deadline_);
  absl::Status status;
  std::uint64_t claim = 0;
  do {
    claim = claim_;
    if (completed) {
      status = co_await tools_.records.Complete(record_.assessment_id, claim, result_.report_json,
                                                deadline);
    } else {
      status = co_await tools_.records.Fail(record_.assessment_id, claim, result_.failure_reason,
                                            deadline);
    }
  } while (IsLost(status) && claim != claim_);
  co_return status;
}

Awaitable<AssessmentRun::End> AssessmentRun::WriteResult() {
  bool completed = result_.failure_reason.empty();
  absl::Status status = co_await Write(completed);
  if (completed && IsRefused(status)) {
    tools_.lost.Count(RecordKind::kReport);
    logger_.Error("assessment.not_stored", {{"session", record_.session_id},
                                            {"assessment", record_.assessment_id},
                                            {"error", Message(status)}});
    result_ = {"", "store_unavailable"};
    completed = false;
    status = co_await Write(completed);
  }
  if (IsLost(status)) {
    LogEnd(LogLevel::kWarning, "assessment.lost", "claimed_elsewhere");
    co_return End::kLost;
  }
  if (!status.ok()) {
    tools_.lost.Count(RecordKind::kReport);
    LogEnd(LogLevel::kError, "assessment.not_stored", Message(status));
    co_return End::kNotStored;
  }
  if (completed) {
    LogEnd(LogLevel::kInfo, "assessment.completed", "");
    co_return End::kCompleted;
  }
  LogEnd(LogLevel::kError, "assessment.failed", result_.failure_reason);
  co_return End::kFailed;
}

Awaitable<AssessmentRun::End> AssessmentRun::Release() {
  const absl::Status status =
      co_await tools_.records.Release(record_.assessment_id, claim_, stop_deadline_);
  if (IsLost(status)) {
    co_return End::kLost;
  }
  if (!status.ok()) {
    LogEnd(LogLevel::kError, "assessment.not_released", Message(status));
    co_return End::kNotReleased;
  }
  LogEnd(LogLevel::kInfo, "assessment.released", "");
  co_return End::kReleased;
}

std::int64_t AssessmentRun::Milliseconds() const {
  return std::chrono::duration_cast<milliseconds>(tools_.clock.Now() - began_).count();
}

void AssessmentRun::LogEnd(LogLevel level, std::string_view event, std::string_view reason) {
  logger_.Log(level, event,
              {{"session", record_.session_id},
               {"assessment", record_.assessment_id},
               {"claim", claim_},
               {"attempt", attempt_},
               {"ms", Milliseconds()},
               {"reason", reason}});
}

}  // namespace voicebridge::worker
