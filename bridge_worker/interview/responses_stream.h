// What the events of one streamed response come to. Pure.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "bridge_worker/interview/responses_client.h"
#include "common/json/json.h"

namespace voicebridge::worker {

// A code of the peer's for a log: letters, digits and a few marks, at most 64 of them.
std::string LogWord(std::string_view text);

// Whether an error of this code may pass when the same is asked again.
bool IsPassing(std::string_view error_code);

// A whole response object, as `response.completed` carries it and as the answer to a request that
// is not streamed is.
ResponsesAnswer ReadResponse(const json::object& response);

// Deltas are not collected: the text is that of response.output_text.done or of the completed
// response, which are whole.
class ResponsesStream {
 public:
  // The data of one event; nullopt: the response goes on. Events that are not known are skipped.
  std::optional<ResponsesAnswer> Read(std::string_view data);

  // What it comes to when the stream ends here.
  ResponsesAnswer End() const;

 private:
  std::string text_;  // Of response.output_text.done.
  bool refused_ = false;
};

}  // namespace voicebridge::worker
