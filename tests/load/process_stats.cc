#include "tests/load/process_stats.h"

#include <absl/strings/ascii.h>
#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <charconv>
#include <filesystem>
#include <fstream>
#include <iterator>

#include "common/core/status.h"

namespace voicebridge::load {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t kFieldsBeforeUtime = 11;  // After the name's closing parenthesis.

std::string_view SkipBlanks(std::string_view text) {
  const std::size_t begin = text.find_first_not_of(" \t");
  return begin == std::string_view::npos ? "" : text.substr(begin);
}

std::optional<std::uint64_t> ParseNumber(std::string_view text) {
  text = SkipBlanks(text);
  std::uint64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  return error == std::errc() ? std::optional(value) : std::nullopt;
}

// Empty when it cannot be read: threads end while one looks.
std::string ReadFile(const fs::path& path) {
  std::ifstream file(path);
  return {std::istreambuf_iterator<char>(file), {}};
}

std::uint64_t CountEntries(const fs::path& directory) {
  std::error_code error;
  std::uint64_t count = 0;
  for (fs::directory_iterator it(directory, error), end; !error && it != end; it.increment(error)) {
    ++count;
  }
  return count;
}

Duration TicksToDuration(std::uint64_t ticks) {
  return seconds(1) * static_cast<std::int64_t>(ticks) / ::sysconf(_SC_CLK_TCK);
}

// Adds the threads' figures; false: the kernel keeps no schedstat.
bool AddThreads(const fs::path& tasks, ProcessSample& sample) {
  std::error_code error;
  bool exact = true;
  for (fs::directory_iterator it(tasks, error), end; !error && it != end; it.increment(error)) {
    const std::string status = ReadFile(it->path() / "status");
    if (status.empty()) {
      continue;
    }
    const auto cpu = ParseSchedstat(ReadFile(it->path() / "schedstat"));
    exact = exact && cpu.has_value();
    sample.cpu += cpu.value_or(Duration::zero());
    sample.voluntary_switches += ParseStatusNumber(status, "voluntary_ctxt_switches").value_or(0);
    ++sample.threads;
  }
  return exact;
}

}  // namespace

std::optional<Duration> ParseSchedstat(std::string_view text) {
  const auto nanoseconds = ParseNumber(text);
  return nanoseconds ? std::optional(Duration(*nanoseconds)) : std::nullopt;
}

std::optional<std::uint64_t> ParseStatTicks(std::string_view text) {
  const std::size_t name_end = text.rfind(')');
  if (name_end == std::string_view::npos) {
    return std::nullopt;
  }
  text = SkipBlanks(text.substr(name_end + 1));
  for (std::size_t field = 0; field < kFieldsBeforeUtime; ++field) {
    text = SkipBlanks(text.substr(std::min(text.find(' '), text.size())));
  }
  const auto user = ParseNumber(text);
  const auto system = ParseNumber(text.substr(std::min(text.find(' '), text.size())));
  return user && system ? std::optional(*user + *system) : std::nullopt;
}

std::optional<std::uint64_t> ParseStatusNumber(std::string_view text, std::string_view field) {
  const std::string label = fmt::format("{}:", field);
  for (std::size_t line = 0; line < text.size();) {
    const std::string_view rest = text.substr(line);
    if (rest.starts_with(label)) {
      return ParseNumber(rest.substr(label.size()));
    }
    const std::size_t next = rest.find('\n');
    line = next == std::string_view::npos ? text.size() : line + next + 1;
  }
  return std::nullopt;
}

absl::StatusOr<ProcessSample> SampleProcess(int pid) {
  const fs::path base = fmt::format("/proc/{}", pid);
  const std::string stat = ReadFile(base / "stat");
  const auto rss = ParseStatusNumber(ReadFile(base / "status"), "VmRSS");
  const auto ticks = ParseStatTicks(stat);
  if (!rss || !ticks) {
    return MakeStatus(absl::StatusCode::kNotFound, "process {} is not running", pid);
  }
  ProcessSample sample;
  sample.pid = pid;
  sample.name = ReadFile(base / "comm");
  absl::StripAsciiWhitespace(&sample.name);
  sample.rss_kib = *rss;
  sample.fds = CountEntries(base / "fd");
  if (!AddThreads(base / "task", sample)) {
    sample.cpu = TicksToDuration(*ticks);
  }
  return sample;
}

absl::StatusOr<std::vector<ProcessSample>> SampleProcesses(const std::vector<int>& pids) {
  std::vector<ProcessSample> samples;
  for (const int pid : pids) {
    auto sample = SampleProcess(pid);
    if (!sample.ok()) {
      return sample.status();
    }
    samples.push_back(*std::move(sample));
  }
  return samples;
}

}  // namespace voicebridge::load
