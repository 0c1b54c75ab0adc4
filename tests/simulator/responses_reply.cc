#include "tests/simulator/responses_reply.h"

#include <algorithm>
#include <utility>

#include "common/core/status.h"
#include "tests/simulator/first_bytes.h"
#include "tests/simulator/interview_report.h"
#include "tests/simulator/json_sample.h"

namespace voicebridge::simulator {
namespace {

constexpr std::size_t kDeltaBytes = 24;
constexpr std::size_t kBytesPerToken = 4;

// The same value, the members of all its objects last to first.
json::value Reordered(const json::value& value) {
  if (const json::array* elements = value.if_array()) {
    json::array array;
    for (const json::value& element : *elements) {
      array.push_back(Reordered(element));
    }
    return array;
  }
  const json::object* members = value.if_object();
  if (members == nullptr) {
    return value;
  }
  json::object object;
  for (auto member = members->end(); member != members->begin();) {
    --member;
    object[member->key()] = Reordered(member->value());
  }
  return object;
}

json::value ReportFor(const ResponsesRequest& request, std::string_view garbage) {
  const auto interview = InterviewReport(*request.schema, request.input);
  json::value report =
      interview ? json::value(*interview) : SampleOf(*request.schema, SampleKind::kPlausible);
  if (garbage == "extra_member" && report.is_object()) {
    report.get_object()["confidence"] = 0.9;
  }
  return garbage == "reordered" ? Reordered(report) : report;
}

std::string TextOf(const ResponsesRequest& request, std::string_view garbage) {
  if (garbage == "empty") {
    return "";
  }
  if (garbage == "refusal") {
    return "I'm sorry, but I cannot assist with that request.";
  }
  if (garbage == "not_json") {
    return "Certainly! Here is the report: the speaker did {very} well.";
  }
  if (!request.schema) {
    return fmt::format("I have read {} characters.", request.input.size());
  }
  if (garbage == "out_of_range") {
    return json::serialize(SampleOf(*request.schema, SampleKind::kOutOfRange));
  }
  std::string text = json::serialize(ReportFor(request, garbage));
  return garbage == "incomplete" ? std::string(FirstBytes(text, text.size() / 2)) : text;
}

// At least so many bytes further, and not inside of a character.
std::size_t DeltaEnd(std::string_view text, std::size_t from) {
  std::size_t end = std::min(from + kDeltaBytes, text.size());
  while (end < text.size() && (static_cast<unsigned char>(text[end]) & 0xC0U) == 0x80U) {
    ++end;
  }
  return end;
}

// A member of the request, or what the service fills in.
json::value Echoed(const json::object& fields, std::string_view key, json::value otherwise) {
  const json::value* value = fields.if_contains(key);
  return value == nullptr || value->is_null() ? std::move(otherwise) : *value;
}

// Collects the events of one response, numbered.
class EventWriter {
 public:
  void Add(std::string_view type, json::object fields) {
    fields["type"] = type;
    fields["sequence_number"] = events_.size();
    events_.push_back(fmt::format("event: {}\ndata: {}\n\n", type, json::serialize(fields)));
  }
  std::vector<std::string> Take() { return std::move(events_); }

 private:
  std::vector<std::string> events_;
};

// Builds one response. Used once.
class ReplyWriter {
 public:
  ReplyWriter(const ResponsesRequest& request, std::string text, std::string_view garbage,
              std::int64_t unix_now, IdSource& ids)
      : request_(request),
        refusal_(garbage == "refusal"),
        status_(garbage == "incomplete" ? "incomplete" : "completed"),
        unix_now_(unix_now),
        response_id_(ids.Next("resp")),
        item_id_(ids.Next("msg")) {
    reply_.text = std::move(text);
  }

  ResponsesReply Write() &&;

 private:
  json::object Part(std::string_view text) const;
  json::object Message(std::string_view status, json::array content) const;
  json::object Response(std::string_view status, json::array output) const;
  json::value Usage() const;
  static json::value Cut() { return json::object{{"reason", "max_output_tokens"}}; }
  json::object OfItem(std::string_view key, json::value value) const;
  json::object OfPart(std::string_view key, json::value value) const;
  void WriteText();

  const ResponsesRequest& request_;
  const bool refusal_;
  const std::string_view status_;  // In the end.
  const std::int64_t unix_now_;
  const std::string response_id_;
  const std::string item_id_;
  ResponsesReply reply_;
  EventWriter events_;
};

json::object ReplyWriter::Part(std::string_view text) const {
  if (refusal_) {
    return {{"type", "refusal"}, {"refusal", text}};
  }
  return {{"type", "output_text"},
          {"text", text},
          {"annotations", json::array()},
          {"logprobs", json::array()}};
}

json::object ReplyWriter::Message(std::string_view status, json::array content) const {
  return {{"id", item_id_},
          {"type", "message"},
          {"status", status},
          {"role", "assistant"},
          {"content", std::move(content)}};
}

json::value ReplyWriter::Usage() const {
  const std::size_t input = request_.input.size() / kBytesPerToken + 8;
  const std::size_t output = reply_.text.size() / kBytesPerToken + 1;
  json::object input_details;
  input_details["cached_tokens"] = 0;
  json::object output_details;
  output_details["reasoning_tokens"] = 0;
  return json::object{{"input_tokens", input},
                      {"input_tokens_details", std::move(input_details)},
                      {"output_tokens", output},
                      {"output_tokens_details", std::move(output_details)},
                      {"total_tokens", input + output}};
}

json::object ReplyWriter::Response(std::string_view status, json::array output) const {
  const json::object& asked = request_.fields;
  json::object plain;
  plain["format"] = json::object{{"type", "text"}};
  return {{"id", response_id_},
          {"object", "response"},
          {"created_at", unix_now_},
          {"status", status},
          {"error", nullptr},
          {"incomplete_details", status == "incomplete" ? Cut() : json::value(nullptr)},
          {"instructions", Echoed(asked, "instructions", nullptr)},
          {"max_output_tokens", Echoed(asked, "max_output_tokens", nullptr)},
          {"model", request_.model},
          {"output", std::move(output)},
          {"parallel_tool_calls", true},
          {"previous_response_id", nullptr},
          {"reasoning", Echoed(asked, "reasoning", {{"effort", nullptr}, {"summary", nullptr}})},
          {"store", Echoed(asked, "store", true)},
          {"temperature", Echoed(asked, "temperature", 1.0)},
          {"text", Echoed(asked, "text", std::move(plain))},
          {"tool_choice", "auto"},
          {"tools", json::array()},
          {"top_p", Echoed(asked, "top_p", 1.0)},
          {"truncation", Echoed(asked, "truncation", "disabled")},
          {"usage", status == "in_progress" ? json::value(nullptr) : Usage()},
          {"metadata", Echoed(asked, "metadata", json::object())}};
}

json::object ReplyWriter::OfItem(std::string_view key, json::value value) const {
  json::object fields = {{"output_index", 0}};
  fields[key] = std::move(value);
  return fields;
}

json::object ReplyWriter::OfPart(std::string_view key, json::value value) const {
  json::object fields = OfItem(key, std::move(value));
  fields["item_id"] = item_id_;
  fields["content_index"] = 0;
  return fields;
}

void ReplyWriter::WriteText() {
  const std::string kind = refusal_ ? "response.refusal" : "response.output_text";
  std::size_t end = 0;
  for (std::size_t at = 0; at < reply_.text.size(); at = end) {
    end = DeltaEnd(reply_.text, at);
    json::object delta = OfPart("delta", json::value(reply_.text.substr(at, end - at)));
    if (!refusal_) {
      delta["logprobs"] = json::array();
    }
    events_.Add(kind + ".delta", std::move(delta));
  }
  json::object done = OfPart(refusal_ ? "refusal" : "text", json::value(reply_.text));
  if (!refusal_) {
    done["logprobs"] = json::array();
  }
  events_.Add(kind + ".done", std::move(done));
}

ResponsesReply ReplyWriter::Write() && {
  const auto started = [this] {
    json::object fields;
    fields["response"] = Response("in_progress", {});
    return fields;
  };
  events_.Add("response.created", started());
  events_.Add("response.in_progress", started());
  events_.Add("response.output_item.added", OfItem("item", Message("in_progress", {})));
  events_.Add("response.content_part.added", OfPart("part", Part("")));
  WriteText();
  events_.Add("response.content_part.done", OfPart("part", Part(reply_.text)));
  json::array content;
  content.push_back(Part(reply_.text));
  const json::object message = Message(status_, std::move(content));
  events_.Add("response.output_item.done", OfItem("item", message));
  json::array output;
  output.push_back(message);
  reply_.response = Response(status_, std::move(output));
  json::object ended;
  ended["response"] = reply_.response;
  events_.Add(fmt::format("response.{}", status_), std::move(ended));
  reply_.events = events_.Take();
  return std::move(reply_);
}

}  // namespace

ResponsesReply ReplyTo(const ResponsesRequest& request, std::string_view garbage,
                       std::int64_t unix_now, IdSource& ids) {
  return ReplyWriter(request, TextOf(request, garbage), garbage, unix_now, ids).Write();
}

std::string StreamOf(const ResponsesReply& reply, bool truncated) {
  std::string stream;
  const std::size_t count = truncated ? reply.events.size() / 2 : reply.events.size();
  for (std::size_t index = 0; index < count; ++index) {
    stream += reply.events[index];
  }
  return truncated ? stream.substr(0, stream.size() - 7) : stream;
}

std::string BodyOf(const ResponsesReply& reply, bool truncated) {
  const std::string body = json::serialize(reply.response);
  return truncated ? body.substr(0, body.size() / 2) : body;
}

}  // namespace voicebridge::simulator
