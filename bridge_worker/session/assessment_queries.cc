#include "bridge_worker/session/assessment_queries.h"

#include <utility>

namespace voicebridge::worker {
namespace {

class ServiceQueries final : public AssessmentQueries {
 public:
  explicit ServiceQueries(AssessmentService& service) : service_(service) {}

  Awaitable<absl::StatusOr<AssessmentRecord>> Find(std::string session_id,
                                                   Deadline deadline) override {
    return service_.Find(std::move(session_id), deadline);
  }
  Awaitable<absl::StatusOr<AssessmentRecord>> Retry(std::string session_id,
                                                    Deadline deadline) override {
    return service_.Retry(std::move(session_id), std::string(), deadline);
  }

 private:
  AssessmentService& service_;
};

}  // namespace

std::unique_ptr<AssessmentQueries> MakeAssessmentQueries(AssessmentService& service) {
  return std::make_unique<ServiceQueries>(service);
}

}  // namespace voicebridge::worker
