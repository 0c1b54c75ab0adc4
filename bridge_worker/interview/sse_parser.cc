#include "bridge_worker/interview/sse_parser.h"

#include <algorithm>
#include <utility>

namespace voicebridge::worker {
namespace {

constexpr std::string_view kByteOrderMark = "\xEF\xBB\xBF";

}  // namespace

void SseParser::Push(std::string_view bytes) {
  if (overflowed_) {
    return;
  }
  bytes_.erase(0, read_);
  scanned_ -= std::min(scanned_, read_);
  read_ = 0;
  bytes_ += bytes;
}

std::optional<ServerSentEvent> SseParser::Next() {
  while (!overflowed_) {
    const std::optional<std::string_view> line = NextLine();
    overflowed_ = event_.data.size() + bytes_.size() - read_ > event_bytes_max_ && !line;
    if (!line) {
      return std::nullopt;
    }
    if (!line->empty()) {
      TakeLine(*line);
      overflowed_ = event_.data.size() > event_bytes_max_;
      continue;
    }
    ServerSentEvent event = std::exchange(event_, {});
    if (std::exchange(has_data_, false)) {
      return event;
    }
  }
  return std::nullopt;
}

// Lines end in CR LF, LF or CR. A CR at the very end waits for what comes after it.
std::optional<std::string_view> SseParser::NextLine() {
  if (!began_) {
    if (bytes_.size() < kByteOrderMark.size() && kByteOrderMark.starts_with(bytes_)) {
      return std::nullopt;
    }
    read_ = bytes_.starts_with(kByteOrderMark) ? kByteOrderMark.size() : 0;
    began_ = true;
  }
  const std::size_t end = bytes_.find_first_of("\r\n", std::max(read_, scanned_));
  const bool is_cut = end != std::string::npos && bytes_[end] == '\r' && end + 1 == bytes_.size();
  if (end == std::string::npos || is_cut) {
    scanned_ = end == std::string::npos ? bytes_.size() : end;
    return std::nullopt;
  }
  const std::string_view line = std::string_view(bytes_).substr(read_, end - read_);
  const bool is_pair = bytes_[end] == '\r' && bytes_[end + 1] == '\n';
  read_ = end + (is_pair ? 2 : 1);
  scanned_ = read_;
  return line;
}

void SseParser::TakeLine(std::string_view line) {
  const std::size_t colon = std::min(line.find(':'), line.size());
  const std::string_view field = line.substr(0, colon);
  std::string_view value = line.substr(std::min(colon + 1, line.size()));
  if (value.starts_with(' ')) {
    value.remove_prefix(1);
  }
  if (field == "event") {
    event_.type = std::string(value);
  } else if (field == "data") {
    event_.data += has_data_ ? "\n" : "";
    event_.data += value;
    has_data_ = true;
  }
}

}  // namespace voicebridge::worker
