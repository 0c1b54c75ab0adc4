#include "common/observability/log_line.h"

#include <fmt/chrono.h>
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <iterator>
#include <type_traits>

#include "common/json/escape.h"

namespace voicebridge {
namespace {

constexpr std::size_t kValueBytesMax = 2048;
constexpr std::string_view kCutMark = "...";

std::string_view LevelWord(LogLevel level) {
  switch (level) {
    case LogLevel::kDebug:
      return "debug";
    case LogLevel::kInfo:
      return "info";
    case LogLevel::kWarning:
      return "warning";
    case LogLevel::kError:
      return "error";
  }
  return "error";
}

void AppendTime(std::chrono::system_clock::time_point time, std::string& out) {
  const auto whole = std::chrono::floor<std::chrono::seconds>(time);
  const auto fraction = std::chrono::floor<std::chrono::milliseconds>(time - whole);
  fmt::format_to(std::back_inserter(out), "{:%Y-%m-%dT%H:%M:%S}.{:03}Z",
                 fmt::gmtime(std::chrono::system_clock::to_time_t(whole)), fraction.count());
}

void AppendText(std::string_view text, std::string& out) {
  if (text.size() <= kValueBytesMax) {
    AppendJsonString(text, out);
    return;
  }
  std::string cut(text.substr(0, kValueBytesMax));
  cut += kCutMark;
  AppendJsonString(cut, out);
}

void AppendValue(const LogField::Value& value, std::string& out) {
  std::visit(
      [&out](const auto& held) {
        using Held = std::decay_t<decltype(held)>;
        if constexpr (std::is_same_v<Held, std::string_view>) {
          AppendText(held, out);
        } else if constexpr (std::is_same_v<Held, double>) {
          // JSON knows no infinity.
          out += std::isfinite(held) ? fmt::format("{}", held) : "null";
        } else {
          out += fmt::format("{}", held);
        }
      },
      value);
}

bool NeedsNoQuotes(std::string_view text) {
  return !text.empty() && text.size() <= kValueBytesMax &&
         std::all_of(text.begin(), text.end(), [](char c) {
           return c > ' ' && c < 0x7F && c != '"' && c != '\\' && c != '=';
         });
}

}  // namespace

std::string FormatJson(const LogLine& line) {
  std::string out = "{\"ts\":\"";
  AppendTime(line.time, out);
  out += "\",\"level\":\"";
  out += LevelWord(line.level);
  out += "\",\"process\":";
  AppendJsonString(line.process, out);
  out += ",\"event\":";
  AppendJsonString(line.event, out);
  for (const LogField& field : line.fields) {
    out += ',';
    AppendJsonString(field.key, out);
    out += ':';
    AppendValue(field.value, out);
  }
  out += '}';
  return out;
}

std::string FormatText(const LogLine& line) {
  std::string out;
  AppendTime(line.time, out);
  out += fmt::format(" {:<7} {} {}", LevelWord(line.level), line.process, line.event);
  for (const LogField& field : line.fields) {
    out += ' ';
    out += field.key;
    out += '=';
    const auto* text = std::get_if<std::string_view>(&field.value);
    if (text != nullptr && NeedsNoQuotes(*text)) {
      out += *text;
    } else {
      AppendValue(field.value, out);
    }
  }
  return out;
}

}  // namespace voicebridge
