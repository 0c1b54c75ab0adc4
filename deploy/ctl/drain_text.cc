#include "deploy/ctl/drain_text.h"

#include <absl/time/time.h>
#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <string_view>
#include <vector>

#include "common/json/json.h"
#include "common/rpc/wire_time.h"
#include "deploy/ctl/message_json.h"

namespace voicebridge::ctl {
namespace {

using Names = google::protobuf::RepeatedPtrField<std::string>;

constexpr std::size_t kBarMin = 8;
constexpr std::size_t kBarMax = 40;
constexpr int kNamesMax = 20;
constexpr std::string_view kGreen = "\x1b[32m";
constexpr std::string_view kPlain = "\x1b[0m";

template <class Number>
std::string Count(Number count, std::string_view noun) {
  return fmt::format("{} {}{}", count, noun, count == 1 ? "" : "s");
}

// One decimal up to a minute, then whole seconds, as in 2m5s.
std::string TimeText(Duration time) {
  if (time < std::chrono::minutes(1)) {
    return fmt::format("{:.1f} s", ToSeconds(time));
  }
  return absl::FormatDuration(absl::FromChrono(std::chrono::duration_cast<seconds>(time)));
}

// How long it took: most drains are over within a second.
std::string TookText(Duration time) {
  if (time >= seconds(1)) {
    return TimeText(time);
  }
  return fmt::format("{} ms", std::chrono::duration_cast<milliseconds>(time).count());
}

std::string_view ModeText(v1::DrainRequest::Mode mode) {
  switch (mode) {
    case v1::DrainRequest::HANDOVER:
      return "handover";
    case v1::DrainRequest::FINISH:
      return "finish";
    case v1::DrainRequest::CLOSE:
      return "close";
    default:
      return "drain";  // Of a later version.
  }
}

std::string Join(const std::vector<std::string>& names) {
  std::string text;
  for (const std::string& name : names) {
    text += (text.empty() ? "" : ", ") + name;
  }
  return text;
}

// The names as a list that can still be read.
std::string List(const Names& names) {
  const int shown = std::min(names.size(), kNamesMax);
  std::string text = Join({names.begin(), names.begin() + shown});
  if (names.size() > shown) {
    text += fmt::format(", and {} more (--json names all)", names.size() - shown);
  }
  return text;
}

// Equal names once, with their number.
std::string Tally(const Names& names) {
  std::map<std::string, int> counts;
  for (const std::string& name : names) {
    ++counts[name];
  }
  std::vector<std::string> entries;
  entries.reserve(counts.size());
  for (const auto& [name, count] : counts) {
    entries.push_back(count == 1 ? name : fmt::format("{} ({} times)", name, count));
  }
  return Join(entries);
}

// "1 session was", "2 sessions were".
std::string SessionsWere(int count) {
  return Count(count, "session") + (count == 1 ? " was" : " were");
}

std::string SessionLines(const v1::DrainSummary& summary) {
  std::string text;
  if (summary.handed_over_size() > 0) {
    text += fmt::format("  {} handed over\n", SessionsWere(summary.handed_over_size()));
  }
  if (summary.finished_size() > 0) {
    text += fmt::format("  {} had ended before they were closed\n",
                        Count(summary.finished_size(), "session"));
  }
  if (summary.stored_size() > 0) {
    text += fmt::format("  {} told and closed, and all that was to be kept is stored\n",
                        SessionsWere(summary.stored_size()));
  }
  if (summary.forced_size() > 0) {
    text += fmt::format("  {} cut off: {}\n", SessionsWere(summary.forced_size()),
                        List(summary.forced()));
  }
  return text.empty() ? "  there were no sessions\n" : text;
}

std::string TroubleLines(const v1::DrainSummary& summary) {
  std::string text;
  if (summary.handover_fell_back()) {
    text += "  nothing could take the sessions over: they were closed instead\n";
  }
  if (summary.not_stored_size() > 0) {
    text += fmt::format("  not stored: {}\n", List(summary.not_stored()));
  }
  if (summary.unreachable_size() > 0) {
    text += fmt::format("  workers that did not answer: {}\n", List(summary.unreachable()));
  }
  if (summary.tasks_left_size() > 0) {
    text += fmt::format("  tasks that did not end: {}\n", Tally(summary.tasks_left()));
  }
  return text;
}

}  // namespace

std::string ProgressText(const v1::DrainProgress& progress, Duration time_left) {
  return fmt::format(
      "{}: {} of {} left, {}, {} left", ModeText(progress.mode()), progress.sessions_left(),
      Count(std::max(progress.sessions_total(), progress.sessions_left()), "session"),
      Count(progress.tasks_left(), "task"), TimeText(time_left));
}

std::string ProgressBar(const v1::DrainProgress& progress, Duration time_left,
                        const BarStyle& style) {
  const std::string text = ProgressText(progress, time_left);
  const std::size_t around = std::string_view("[] ").size();
  if (text.size() + around + kBarMin > style.columns) {
    return text.substr(0, style.columns);
  }
  const std::size_t width = std::min(kBarMax, style.columns - text.size() - around);
  const std::size_t total = std::max(progress.sessions_total(), progress.sessions_left());
  const std::size_t gone = total - progress.sessions_left();
  const std::size_t filled = total == 0 ? width : width * gone / total;
  return fmt::format("[{}{}{}{}] {}", style.colours ? kGreen : "", std::string(filled, '#'),
                     style.colours ? kPlain : "", std::string(width - filled, '-'), text);
}

bool IsClean(const v1::DrainSummary& summary) {
  return summary.forced().empty() && summary.unreachable().empty() &&
         summary.not_stored().empty() && summary.tasks_left().empty();
}

std::string SummaryText(const std::string& address, const v1::DrainRequest& asked,
                        const v1::DrainSummary& summary) {
  const bool fleet = asked.scope() == v1::DrainRequest::FLEET;
  const bool exits = asked.then() == v1::DrainRequest::EXIT;
  const char* then = exits ? (fleet ? "its processes exit" : "it exits")
                           : (fleet ? "its processes stay, and take no new sessions"
                                    : "it stays, and takes no new sessions");
  return fmt::format("{}{} drained ({}) in {}{}; {}\n", fleet ? "fleet of " : "", address,
                     ModeText(summary.mode()), TookText(FromWire(summary.took())),
                     IsClean(summary) ? "" : ", but not cleanly", then) +
         SessionLines(summary) + TroubleLines(summary);
}

std::string SummaryJson(const std::string& address, const v1::DrainRequest& asked,
                        const v1::DrainSummary& summary) {
  json::object object;
  object["address"] = json::string(address);
  object["asked"] = *ParseObject(MessageJson(asked));
  object["clean"] = IsClean(summary);
  object["summary"] = *ParseObject(MessageJson(summary));
  return json::serialize(object) + "\n";
}

}  // namespace voicebridge::ctl
