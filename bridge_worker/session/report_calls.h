// GetReport and RetryAssessment of the BridgeWorker service, on completion queues.
#pragma once

#include <grpcpp/grpcpp.h>

#include <atomic>
#include <cstdint>
#include <memory>

#include "bridge_worker/session/assessment_queries.h"
#include "common/async/clock.h"
#include "common/async/task_group.h"
#include "common/rpc/server_unary.h"
#include "voicebridge/v1/bridge.grpc.pb.h"

namespace voicebridge::worker {

// Where calls are accepted and answered; all of it outlives the tasks of the group.
struct ReportLane {
  net::any_io_executor executor;
  TaskGroup& tasks;
  Clock& clock;
  grpc::ServerCompletionQueue& queue;
};

// Owned by the bridge service. A call that is accepted is answered within a bound of ours or the
// client's, whichever is earlier.
class ReportCalls {
 public:
  // While `draining`, reports are still read, and retries go to other workers. `calls` counts open
  // ones.
  ReportCalls(v1::BridgeWorker::AsyncService& service, AssessmentQueries& queries,
              const std::atomic<bool>& draining, std::atomic<std::int64_t>& calls)
      : service_(service), queries_(queries), draining_(draining), calls_(calls) {}

  // Begins to accept on a lane; once per lane, before its thread runs.
  void Start(ReportLane lane);

 private:
  using GetCall = ServerUnary<v1::GetReportRequest, v1::GetReportResponse>;
  using RetryCall = ServerUnary<v1::RetryAssessmentRequest, v1::RetryAssessmentResponse>;

  Awaitable<void> AcceptGet(ReportLane lane);
  Awaitable<void> AcceptRetry(ReportLane lane);
  Awaitable<void> AnswerGet(ReportLane lane, std::unique_ptr<GetCall> call);
  Awaitable<void> AnswerRetry(ReportLane lane, std::unique_ptr<RetryCall> call);
  Awaitable<absl::StatusOr<v1::GetReportResponse>> Find(std::string session_id, Deadline deadline);
  Awaitable<absl::StatusOr<v1::RetryAssessmentResponse>> Retry(std::string session_id,
                                                               Deadline deadline);
  absl::Status Admit(const std::string& session_id) const;

  v1::BridgeWorker::AsyncService& service_;
  AssessmentQueries& queries_;
  const std::atomic<bool>& draining_;
  std::atomic<std::int64_t>& calls_;
  std::atomic<std::int64_t> open_ = 0;  // Of these two kinds.
};

}  // namespace voicebridge::worker
