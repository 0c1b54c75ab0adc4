// What tests want sessions to hear and say, in order.
#pragma once

#include <deque>
#include <map>
#include <optional>
#include <string>
#include <string_view>

#include "common/json/json.h"

namespace voicebridge::simulator {

// Lines for one session come before those for whichever session asks first. Owned by the service;
// all sessions share it on one thread.
class ReplyScript {
 public:
  // `{"session":ID?,"transcripts":[...],"replies":[...]}`; INVALID_ARGUMENT names the field.
  absl::Status Add(const json::object& request);
  void Clear();

  std::optional<std::string> TakeTranscript(std::string_view session_id);
  std::optional<std::string> TakeReply(std::string_view session_id);

 private:
  struct Lines {
    std::deque<std::string> transcripts;
    std::deque<std::string> replies;
  };
  std::optional<std::string> Take(std::deque<std::string> Lines::*list,
                                  std::string_view session_id);

  Lines for_any_;
  std::map<std::string, Lines, std::less<>> for_session_;
};

}  // namespace voicebridge::simulator
