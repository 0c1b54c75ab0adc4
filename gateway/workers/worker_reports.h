// Reports from whichever worker knows the session's assessment.
#pragma once

#include <string>
#include <string_view>
#include <utility>

#include "common/observability/trace_logger.h"
#include "gateway/http/report_endpoints.h"
#include "gateway/relay/relay_driver.h"

namespace voicebridge::gateway {

// Lives for one request, on its shard. Workers are asked in turn until one knows the session: any
// of them does when they share a store, and the one whose store it is when each host has its own.
// So a worker that cannot be asked keeps the answer open, whatever the others do not know.
class WorkerReports final : public SessionReports {
 public:
  // `trace_id`: of the request, for the log.
  WorkerReports(RelayEnvironment& environment, Shard& shard, std::string trace_id)
      : environment_(environment),
        shard_(shard),
        logger_(environment.logger, std::move(trace_id)) {}

  Awaitable<absl::StatusOr<v1::GetReportResponse>> Get(std::string session_id) override;
  Awaitable<absl::StatusOr<v1::RetryAssessmentResponse>> Retry(std::string session_id) override;

 private:
  template <class Response, class Request, class Prepare>
  Awaitable<absl::StatusOr<Response>> AskInTurn(Request request, Prepare prepare);
  void LogIfNoVerdict(std::string_view address, const absl::Status& status);

  RelayEnvironment& environment_;
  Shard& shard_;
  TraceLogger logger_;
};

}  // namespace voicebridge::gateway
