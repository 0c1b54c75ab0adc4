#include "tests/load/run_report.h"

#include <fmt/format.h>

#include <algorithm>
#include <ctime>
#include <utility>

namespace voicebridge::load {
namespace {

constexpr std::size_t kNamedMax = 5;

}  // namespace

RunReport FinishReport(JsonText text, std::vector<std::string> problems) {
  std::vector<std::string> quoted(problems.size());
  std::transform(problems.begin(), problems.end(), quoted.begin(), JsonString);
  text.Raw("problems", JsonArray(quoted)).Flag("ok", problems.empty());
  return {text.Object(), std::move(problems)};
}

JsonText BeginReport(const LoadOptions& options) {
  JsonText text;
  text.Text("mode", NameOf(options.mode))
      .Count("sessions", options.sessions)
      .Milliseconds("frame_ms", options.frame)
      .Count("frame_bytes", options.frame_bytes())
      .Number("warmup_s", ToSeconds(options.warmup))
      .Number("duration_s", ToSeconds(options.duration))
      .Count("seed", options.seed);
  return text;
}

std::string PercentilesToJson(const Histogram& histogram) {
  return JsonText()
      .Count("count", histogram.count())
      .Milliseconds("mean", histogram.Mean())
      .Milliseconds("p50", histogram.Percentile(0.5))
      .Milliseconds("p90", histogram.Percentile(0.9))
      .Milliseconds("p99", histogram.Percentile(0.99))
      .Milliseconds("p999", histogram.Percentile(0.999))
      .Milliseconds("max", histogram.max())
      .Object();
}

std::string DescribeFailures(const std::map<std::size_t, std::string>& failures) {
  std::vector<std::string> named;
  for (const auto& [session, why] : failures) {
    if (named.size() == kNamedMax) {
      named.emplace_back("...");
      break;
    }
    named.push_back(fmt::format("session {}: {}", session, why));
  }
  return fmt::format("{} sessions failed: {}", failures.size(), fmt::join(named, "; "));
}

Duration OwnCpu() {
  timespec used{};
  ::clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &used);
  return seconds(used.tv_sec) + std::chrono::nanoseconds(used.tv_nsec);
}

}  // namespace voicebridge::load
