// The Responses API without a network: events out of bytes, answers out of events and replies.
#include <gmock/gmock.h>

#include "bridge_worker/interview/responses_error.h"
#include "bridge_worker/interview/responses_stream.h"
#include "bridge_worker/interview/sse_parser.h"

namespace voicebridge::worker::test {
namespace {

using Outcome = ResponsesAnswer::Outcome;

std::vector<std::string> EventsOf(std::string_view stream, std::size_t piece) {
  SseParser parser(1U << 20U);
  std::vector<std::string> events;
  for (std::size_t at = 0; at < stream.size(); at += piece) {
    parser.Push(stream.substr(at, piece));
    while (const auto event = parser.Next()) {
      events.push_back(event->type + "|" + event->data);
    }
  }
  return events;
}

TEST(SseParser, FindsTheSameEventsHoweverTheBytesAreCut) {
  const std::string stream =
      "\xEF\xBB\xBF: a comment\n\nevent: one\ndata: {\"a\":1}\n\nid: 7\r\ndata:two\r\ndata:  "
      "lines\r\n"
      "\r\nretry: 10\revent: three\rdata\r\revent: no data\n\ndata: cut off";
  const std::vector<std::string> expected = {"one|{\"a\":1}", "|two\n lines", "three|"};
  for (std::size_t piece = 1; piece <= stream.size(); ++piece) {
    EXPECT_EQ(EventsOf(stream, piece), expected) << "in pieces of " << piece;
  }
}

TEST(SseParser, GivesUpOnAnEventWithoutEnd) {
  SseParser one_line(16);
  one_line.Push("data: 0123456789abcdef");
  EXPECT_FALSE(one_line.Next());
  EXPECT_TRUE(one_line.overflowed());
  SseParser many_lines(16);
  for (int line = 0; line < 10 && !many_lines.overflowed(); ++line) {
    many_lines.Push("data: 0123\n");
    EXPECT_FALSE(many_lines.Next());
  }
  EXPECT_TRUE(many_lines.overflowed());
}

std::string Completed(std::string_view content) {
  return R"({"type":"response.completed","response":{"status":"completed","output":[)"
         R"({"type":"reasoning","summary":[]},{"type":"message","content":[)" +
         std::string(content) + "]}]}}";
}

ResponsesAnswer Last(const std::vector<std::string>& events) {
  ResponsesStream stream;
  for (const std::string& event : events) {
    if (auto answer = stream.Read(event)) {
      return *answer;
    }
  }
  return stream.End();
}

TEST(ResponsesStream, TakesTheTextOfTheCompletedResponse) {
  const ResponsesAnswer answer = Last(
      {R"({"type":"response.created","response":{}})",
       R"({"type":"response.output_text.delta","delta":"wrong"})", R"({"type":"unknown"})",
       R"({"type":"response.output_text.done","text":"whole"})",
       Completed(R"({"type":"output_text","text":"wh"},{"type":"output_text","text":"ole"})")});
  EXPECT_EQ(answer.outcome, Outcome::kText);
  EXPECT_EQ(answer.text, "whole");
}

TEST(ResponsesStream, TakesTheTextOfItsEventWhenTheResponseCarriesNone) {
  const ResponsesAnswer answer =
      Last({R"({"type":"response.output_text.done","text":"whole"})",
            R"({"type":"response.completed","response":{"status":"completed","output":[]}})"});
  EXPECT_EQ(answer.outcome, Outcome::kText);
  EXPECT_EQ(answer.text, "whole");
}

TEST(ResponsesStream, DoesNotTakeDeltasForText) {
  const ResponsesAnswer answer = Last({R"({"type":"response.output_text.delta","delta":"half"})"});
  EXPECT_EQ(answer.outcome, Outcome::kUnavailable);
  EXPECT_EQ(answer.detail, "stream_ended_early");
  EXPECT_EQ(answer.text, "");
}

TEST(ResponsesStream, KnowsARefusal) {
  EXPECT_EQ(Last({Completed(R"({"type":"refusal","refusal":"no"})")}).outcome, Outcome::kRefused);
  EXPECT_EQ(Last({R"({"type":"response.refusal.done","refusal":"no"})",
                  R"({"type":"response.completed","response":{"status":"completed"}})"})
                .outcome,
            Outcome::kRefused);
}

TEST(ResponsesStream, KnowsTheOtherEnds) {
  const ResponsesAnswer cut =
      Last({R"({"type":"response.incomplete","response":{"status":"incomplete",)"
            R"("incomplete_details":{"reason":"max_output_tokens"}}})"});
  EXPECT_EQ(cut.outcome, Outcome::kIncomplete);
  EXPECT_EQ(cut.detail, "max_output_tokens");
  const auto failed = [](std::string_view code) {
    return Last({R"({"type":"response.failed","response":{"status":"failed","error":{"code":")" +
                 std::string(code) + R"(","message":"m"}}})"});
  };
  EXPECT_EQ(failed("server_error").outcome, Outcome::kUnavailable);
  EXPECT_EQ(failed("rate_limit_exceeded").outcome, Outcome::kUnavailable);
  EXPECT_EQ(failed("invalid_prompt").outcome, Outcome::kRejected);
  EXPECT_EQ(failed("insufficient_quota").outcome, Outcome::kRejected);
  EXPECT_EQ(Last({R"({"type":"error","code":"server_error","message":"m"})"}).outcome,
            Outcome::kUnavailable);
  EXPECT_EQ(Last({R"({"type":"error","error":{"code":"invalid_value"}})"}).outcome,
            Outcome::kRejected);
  EXPECT_EQ(Last({"{"}).detail, "malformed_event");
  EXPECT_EQ(Last({"[DONE]"}).detail, "stream_ended_early");
}

TEST(LogWord, IsShortAndPlain) {
  EXPECT_EQ(LogWord("rate_limit-1.0"), "rate_limit-1.0");
  EXPECT_EQ(LogWord("a b\n\"c"), "a?b??c");
  EXPECT_EQ(LogWord(std::string(100, 'x')).size(), 64U);
}

// --- HTTP errors ---

ResponsesAnswer ErrorOf(unsigned status, std::string_view code, HttpHeaders headers = {}) {
  HttpReplyHead head;
  head.status = status;
  head.headers = std::move(headers);
  return ReadResponsesError(
      head, R"({"error":{"message":"secret","code":")" + std::string(code) + R"("}})");
}

TEST(ResponsesError, FollowsTheTableOfStatuses) {
  for (const unsigned status : {400U, 401U, 403U, 404U, 422U, 301U}) {
    EXPECT_EQ(ErrorOf(status, "x").outcome, Outcome::kRejected) << status;
  }
  for (const unsigned status : {408U, 409U, 429U, 500U, 502U, 503U, 504U}) {
    EXPECT_EQ(ErrorOf(status, "x").outcome, Outcome::kUnavailable) << status;
  }
  EXPECT_EQ(ErrorOf(429, "insufficient_quota").outcome, Outcome::kRejected);
  EXPECT_EQ(ErrorOf(400, "x", {{"X-Should-Retry", "true"}}).outcome, Outcome::kUnavailable);
  EXPECT_EQ(ErrorOf(503, "x", {{"x-should-retry", "false"}}).outcome, Outcome::kRejected);
}

TEST(ResponsesError, TellsTheLogWhatAndWhichButNotTheMessage) {
  EXPECT_EQ(ErrorOf(429, "rate_limit_exceeded", {{"x-request-id", "req_1"}}).detail,
            "http_429 rate_limit_exceeded req_1");
  HttpReplyHead head;
  head.status = 502;
  EXPECT_EQ(ReadResponsesError(head, "<html>").detail, "http_502");
}

TEST(ResponsesError, TakesTheWaitFromTheHeaders) {
  const auto wait = [](HttpHeaders headers) {
    return ErrorOf(429, "x", std::move(headers)).retry_after;
  };
  EXPECT_EQ(wait({{"retry-after-ms", "250"}, {"retry-after", "9"}}), milliseconds(250));
  EXPECT_EQ(wait({{"Retry-After", "2"}}), seconds(2));
  EXPECT_EQ(wait({{"Retry-After", "0.5"}}), milliseconds(500));
  EXPECT_EQ(wait({{"Date", "Sun, 06 Nov 1994 08:49:37 GMT"},
                  {"Retry-After", "Sun, 06 Nov 1994 08:49:40 GMT"}}),
            seconds(3));
  for (const char* const useless : {"0", "-1", "61", "soon", "nan", "1e99", "2 s"}) {
    EXPECT_EQ(wait({{"retry-after", useless}}), std::nullopt) << useless;
  }
  EXPECT_EQ(wait({{"Retry-After", "Sun, 06 Nov 1994 08:49:40 GMT"}}), std::nullopt);
}

}  // namespace
}  // namespace voicebridge::worker::test
