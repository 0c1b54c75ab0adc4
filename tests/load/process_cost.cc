#include "tests/load/process_cost.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "tests/load/json_text.h"

namespace voicebridge::load {

absl::Status ProcessCost::LookBefore() { return Look(before_); }

absl::Status ProcessCost::LookAtBegin(std::uint64_t units) {
  units_begin_ = units;
  return Look(begin_);
}

absl::Status ProcessCost::LookAtEnd(std::uint64_t units) {
  units_end_ = units;
  return Look(end_);
}

absl::Status ProcessCost::Look(std::vector<ProcessSample>& samples) const {
  auto looked = SampleProcesses(pids_);
  if (!looked.ok()) {
    return looked.status();
  }
  samples = *std::move(looked);
  return absl::OkStatus();
}

std::string ProcessCost::ToJson(std::string_view unit, std::size_t sessions) const {
  std::vector<std::string> all;
  for (std::size_t i = 0; i < end_.size(); ++i) {
    all.push_back(OneToJson(i, unit, sessions));
  }
  return JsonArray(all);
}

std::string ProcessCost::OneToJson(std::size_t index, std::string_view unit,
                                   std::size_t sessions) const {
  const ProcessSample& before = before_[index];
  const ProcessSample& begin = begin_[index];
  const ProcessSample& end = end_[index];
  const double cpu = ToSeconds(std::max(end.cpu - begin.cpu, Duration::zero()));
  const double count = static_cast<double>(std::max<std::uint64_t>(units(), 1));
  const double switches =
      static_cast<double>(end.voluntary_switches) - static_cast<double>(begin.voluntary_switches);
  const double grown = static_cast<double>(end.rss_kib) - static_cast<double>(before.rss_kib);
  return JsonText()
      .Count("pid", static_cast<std::uint64_t>(end.pid))
      .Text("name", end.name)
      .Number("cpu_s", cpu)
      .Number(fmt::format("cpu_us_per_{}", unit), cpu * 1e6 / count)
      .Number(fmt::format("voluntary_switches_per_{}", unit), std::max(switches, 0.0) / count)
      .Count("rss_kib_before", before.rss_kib)
      .Count("rss_kib", end.rss_kib)
      .Number("rss_kib_per_session", grown / static_cast<double>(sessions))
      .Count("fds_before", before.fds)
      .Count("fds", end.fds)
      .Count("threads_before", before.threads)
      .Count("threads", end.threads)
      .Object();
}

}  // namespace voicebridge::load
