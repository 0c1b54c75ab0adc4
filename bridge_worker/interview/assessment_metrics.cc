#include "bridge_worker/interview/assessment_metrics.h"

namespace voicebridge::worker {
namespace {

// As AssessmentResult and AttemptOutcome.
constexpr std::array kResults{"completed",  "failed",   "lost",
                              "not_stored", "released", "queue_timeout"};
constexpr std::array kOutcomes{"report", "unusable", "refused", "rejected", "unavailable"};

}  // namespace

AssessmentMetrics::AssessmentMetrics(prometheus::Registry& registry) {
  auto& seconds = prometheus::BuildHistogram()
                      .Name("voicebridge_worker_assessment_seconds")
                      .Help("Assessments from being taken up by this process, by how that ended.")
                      .Register(registry);
  const prometheus::Histogram::BucketBoundaries bounds{1, 2.5, 5, 10, 20, 30, 60, 120, 300};
  for (std::size_t i = 0; i < seconds_.size(); ++i) {
    seconds_[i] = &seconds.Add({{"result", kResults[i]}}, bounds);
  }
  auto& attempts = prometheus::BuildCounter()
                       .Name("voicebridge_worker_assessment_attempts_total")
                       .Help("Calls of the text model for assessments, by what came of them.")
                       .Register(registry);
  for (std::size_t i = 0; i < attempts_.size(); ++i) {
    attempts_[i] = &attempts.Add({{"outcome", kOutcomes[i]}});
  }
}

}  // namespace voicebridge::worker
