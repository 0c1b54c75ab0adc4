#include "bridge_worker/interview/responses_stream.h"

#include <algorithm>
#include <utility>

namespace voicebridge::worker {
namespace {

using Outcome = ResponsesAnswer::Outcome;

constexpr std::size_t kLogWordMax = 64;

ResponsesAnswer Answer(Outcome outcome, std::string detail) {
  ResponsesAnswer answer;
  answer.outcome = outcome;
  answer.detail = std::move(detail);
  return answer;
}

// Of an `error` event, a failed response or the body of an HTTP error: {"code","type",...}.
ResponsesAnswer Failed(const json::object& error) {
  const std::string_view code = StringOr(error, "code", StringOr(error, "type", "error"));
  return Answer(IsPassing(code) ? Outcome::kUnavailable : Outcome::kRejected, LogWord(code));
}

struct Content {
  std::string text;
  bool refused = false;
};

Content ContentOf(const json::object& response) {
  Content content;
  const json::array* output = FindArray(response, "output");
  if (output == nullptr) {
    return content;
  }
  for (const json::value& item : *output) {
    const json::array* parts = item.is_object() ? FindArray(item.get_object(), "content") : nullptr;
    if (parts == nullptr) {
      continue;
    }
    for (const json::value& part : *parts) {
      const json::object* object = part.if_object();
      const std::string_view type = object == nullptr ? "" : StringOr(*object, "type");
      content.refused = content.refused || type == "refusal";
      if (type == "output_text") {
        content.text += StringOr(*object, "text");
      }
    }
  }
  return content;
}

ResponsesAnswer Incomplete(const json::object& response) {
  const json::object* details = FindObject(response, "incomplete_details");
  return Answer(Outcome::kIncomplete,
                LogWord(details == nullptr ? "" : StringOr(*details, "reason")));
}

}  // namespace

std::string LogWord(std::string_view text) {
  std::string word(text.substr(0, kLogWordMax));
  std::replace_if(
      word.begin(), word.end(),
      [](char c) {
        const bool plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
                           (c >= '0' && c <= '9') || c == '_' || c == '-' || c == '.';
        return !plain;
      },
      '?');
  return word;
}

bool IsPassing(std::string_view error_code) {
  return !(error_code.starts_with("invalid_") || error_code.ends_with("_policy") ||
           error_code == "insufficient_quota" || error_code == "model_not_found" ||
           error_code == "context_length_exceeded");
}

ResponsesAnswer ReadResponse(const json::object& response) {
  const std::string_view status = StringOr(response, "status");
  if (status == "failed") {
    const json::object* error = FindObject(response, "error");
    return error == nullptr ? Answer(Outcome::kUnavailable, "failed") : Failed(*error);
  }
  if (status == "incomplete") {
    return Incomplete(response);
  }
  if (status != "completed") {
    return Answer(Outcome::kUnavailable, "status_" + LogWord(status));
  }
  Content content = ContentOf(response);
  ResponsesAnswer answer = Answer(content.refused ? Outcome::kRefused : Outcome::kText,
                                  content.refused ? "refusal" : "");
  if (!content.refused) {
    answer.text = std::move(content.text);
  }
  return answer;
}

std::optional<ResponsesAnswer> ResponsesStream::Read(std::string_view data) {
  const absl::StatusOr<json::object> event = ParseObject(data);
  if (!event.ok()) {
    // "[DONE]", which other implementations send last, says nothing.
    return data == "[DONE]" ? std::nullopt
                            : std::optional(Answer(Outcome::kUnavailable, "malformed_event"));
  }
  const std::string_view type = StringOr(*event, "type");
  if (type == "error") {
    const json::object* nested = FindObject(*event, "error");
    return Failed(nested == nullptr ? *event : *nested);
  }
  if (type == "response.output_text.done") {
    text_ += StringOr(*event, "text");
  } else if (type == "response.refusal.delta" || type == "response.refusal.done") {
    refused_ = true;
  }
  const bool is_end =
      type == "response.completed" || type == "response.incomplete" || type == "response.failed";
  if (!is_end) {
    return std::nullopt;
  }
  const json::object* response = FindObject(*event, "response");
  if (response == nullptr) {
    return Answer(Outcome::kUnavailable, "malformed_event");
  }
  ResponsesAnswer answer = ReadResponse(*response);
  if (answer.outcome == Outcome::kText && refused_) {
    return Answer(Outcome::kRefused, "refusal");
  }
  if (answer.outcome == Outcome::kText && answer.text.empty()) {
    answer.text = text_;
  }
  return answer;
}

ResponsesAnswer ResponsesStream::End() const {
  return Answer(Outcome::kUnavailable, "stream_ended_early");
}

}  // namespace voicebridge::worker
