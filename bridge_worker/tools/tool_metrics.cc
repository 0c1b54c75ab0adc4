#include "bridge_worker/tools/tool_metrics.h"

namespace voicebridge::worker {
namespace {

// As ToolResult::Outcome.
constexpr std::array kWords{"answered", "failed", "unknown"};
static_assert(static_cast<std::size_t>(ToolResult::Outcome::kUnknown) + 1 == kWords.size());

}  // namespace

ToolMetrics::ToolMetrics(prometheus::Registry& registry) {
  auto& family = prometheus::BuildHistogram()
                     .Name("voicebridge_worker_tool_call_seconds")
                     .Help("Calls of webhook tools with all their attempts, by outcome.")
                     .Register(registry);
  const prometheus::Histogram::BucketBoundaries bounds{0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30};
  for (std::size_t i = 0; i < calls_.size(); ++i) {
    calls_[i] = &family.Add({{"outcome", kWords[i]}}, bounds);
  }
  not_started_ = &family.Add({{"outcome", "not_started"}}, bounds);
}

}  // namespace voicebridge::worker
