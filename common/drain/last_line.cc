#include "common/drain/last_line.h"

#include <algorithm>
#include <charconv>
#include <cstring>

namespace voicebridge {
namespace {

constexpr std::size_t kNumberBytesMax = 20;

// Ids come from other processes, and the line has to be one of JSON whatever they are.
bool NeedsNoEscape(char c) { return c > ' ' && c < 0x7F && c != '"' && c != '\\'; }

}  // namespace

void LastLine::Append(std::string_view text) {
  const std::size_t size = std::min(text.size(), kBytesMax - size_);
  std::memcpy(buffer_.data() + size_, text.data(), size);
  size_ += size;
}

void LastLine::AppendNumber(std::int64_t number, std::size_t digits_min) {
  std::array<char, kNumberBytesMax> digits;
  char* const end = std::to_chars(digits.data(), digits.data() + digits.size(), number).ptr;
  const auto size = static_cast<std::size_t>(end - digits.data());
  for (std::size_t i = size; i < digits_min; ++i) {
    Append("0");
  }
  Append({digits.data(), size});
}

void LastLine::AppendTime(std::chrono::system_clock::time_point time) {
  const auto day = std::chrono::floor<std::chrono::days>(time);
  const std::chrono::year_month_day date(day);
  const std::chrono::hh_mm_ss clock(std::chrono::floor<std::chrono::milliseconds>(time - day));
  AppendNumber(static_cast<int>(date.year()), 4);
  Append("-");
  AppendNumber(static_cast<unsigned>(date.month()), 2);
  Append("-");
  AppendNumber(static_cast<unsigned>(date.day()), 2);
  Append("T");
  AppendNumber(clock.hours().count(), 2);
  Append(":");
  AppendNumber(clock.minutes().count(), 2);
  Append(":");
  AppendNumber(clock.seconds().count(), 2);
  Append(".");
  AppendNumber(clock.subseconds().count(), 3);
  Append("Z");
}

void LastLine::Begin(std::chrono::system_clock::time_point time, std::string_view level,
                     std::string_view process, std::string_view event) {
  Append("{\"ts\":\"");
  AppendTime(time);
  Append("\",\"level\":\"");
  Append(level);
  Append("\",\"process\":\"");
  Append(process);
  Append("\",\"event\":\"");
  Append(event);
  Append("\"");
}

void LastLine::AddKey(std::string_view key) {
  Append(",\"");
  Append(key);
  Append("\":");
}

void LastLine::Add(std::string_view key, std::int64_t number) {
  AddKey(key);
  AppendNumber(number);
}

void LastLine::AppendId(std::string_view id) {
  Append("\"");
  for (const char c : id) {
    Append(NeedsNoEscape(c) ? std::string_view(&c, 1) : "?");
  }
  Append("\"");
}

void LastLine::AddSessions(const LiveSessions& sessions) {
  Add("sessions", sessions.count());
  AddKey("session_ids");
  Append("[");
  bool first = true;
  for (std::size_t place = 0; place < LiveSessions::kPlaces; ++place) {
    const LiveSessions::ShownId id = sessions.Read(place);
    if (!id.view().empty()) {
      Append(first ? "" : ",");
      AppendId(id.view());
      first = false;
    }
  }
  Append("]");
}

void LastLine::AddTasks(const LiveTasks& tasks) {
  Add("tasks", tasks.total());
  AddKinds("task_kinds", tasks);
}

void LastLine::AddLibraryCalls(const LiveTasks& calls) {
  Add("library_calls", calls.total());
  AddKinds("library_call_kinds", calls);
}

void LastLine::AddKinds(std::string_view key, const LiveTasks& tasks) {
  AddKey(key);
  Append("{");
  bool first = true;
  tasks.ForEachKind([this, &first](std::string_view name, std::int64_t count) {
    if (!Fits(name.size() + kNumberBytesMax + std::strlen(",\"\":"))) {
      return;
    }
    Append(first ? "\"" : ",\"");
    Append(name);
    Append("\":");
    AppendNumber(count);
    first = false;
  });
  Append("}");
}

std::string_view LastLine::End() {
  Append("}\n");
  return {buffer_.data(), size_};
}

}  // namespace voicebridge
