// Server-sent events out of the bytes of a stream (WHATWG HTML, section 9.2). Pure.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

namespace voicebridge::worker {

struct ServerSentEvent {
  std::string type;  // Empty: the stream named none.
  std::string data;
};

// Bytes come in pieces that may end anywhere. Comments, ids and retry times are skipped; what the
// stream ends within is no event.
class SseParser {
 public:
  // An event larger than this ends the parsing for good.
  explicit SseParser(std::size_t event_bytes_max) : event_bytes_max_(event_bytes_max) {}

  void Push(std::string_view bytes);
  // In order; nullopt: none is complete.
  std::optional<ServerSentEvent> Next();

  bool overflowed() const { return overflowed_; }

 private:
  std::optional<std::string_view> NextLine();
  void TakeLine(std::string_view line);

  const std::size_t event_bytes_max_;
  std::string bytes_;
  std::size_t read_ = 0;     // Of bytes_.
  std::size_t scanned_ = 0;  // Up to here bytes_ has no line end.
  bool began_ = false;
  bool overflowed_ = false;
  bool has_data_ = false;
  ServerSentEvent event_;
};

}  // namespace voicebridge::worker
