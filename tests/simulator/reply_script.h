// What tests want sessions to hear and say, in order, and how they want interviews to go.
#pragma once

#include <deque>
#include <map>
#include <optional>
#include <string>
#include <string_view>

#include "common/core/time.h"
#include "common/json/json.h"
#include "tests/simulator/interview_script.h"

namespace voicebridge::simulator {

// Of one piece of user audio.
struct ScriptedTranscript {
  std::optional<std::string> text = {};  // nullopt: as it would be without a script.
  std::optional<Duration> delay = {};    // nullopt: the session's.
  bool fails = false;
};

// Lines for one session come before those for whichever session asks first; an interview's script
// for one session before that for all. Owned by the service; all sessions share it on one thread.
class ReplyScript {
 public:
  // `{"session":ID?,"transcripts":[TEXT|{"text":TEXT?,"delay_ms":N?,"fails":B?}],"replies":[...]}`
  // and the members of ParseInterviewScript; INVALID_ARGUMENT names the field.
  absl::Status Add(const json::object& request);
  void Clear();

  std::optional<ScriptedTranscript> TakeTranscript(std::string_view session_id);
  std::optional<std::string> TakeReply(std::string_view session_id);
  InterviewScript InterviewOf(std::string_view session_id) const;

 private:
  struct Lines {
    std::deque<ScriptedTranscript> transcripts;
    std::deque<std::string> replies;
    InterviewScript interview;
  };
  template <class Line>
  std::optional<Line> Take(std::deque<Line> Lines::*list, std::string_view session_id);

  Lines for_any_;
  std::map<std::string, Lines, std::less<>> for_session_;
};

}  // namespace voicebridge::simulator
