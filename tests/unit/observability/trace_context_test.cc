// W3C Trace Context: what is taken over, what is refused, and what is made instead.
#include "common/observability/trace_context.h"

#include <gmock/gmock.h>

#include <string>

#include "common/observability/trace_logger.h"
#include "tests/fakes/recording_logger.h"

namespace voicebridge {
namespace {

using testing::ElementsAre;
using testing::MatchesRegex;

constexpr char kTrace[] = "4bf92f3577b34da6a3ce929d0e0e4736";
constexpr char kSpan[] = "00f067aa0ba902b7";

std::string With(const std::string& version, const std::string& trace, const std::string& span,
                 const std::string& flags) {
  return version + "-" + trace + "-" + span + "-" + flags;
}

TEST(TraceContext, ReadsWhatItWrites) {
  const std::string text = With("00", kTrace, kSpan, "01");
  const auto context = ParseTraceparent(text);
  ASSERT_TRUE(context.has_value());
  EXPECT_EQ(context->trace_id, kTrace);
  EXPECT_EQ(context->span_id, kSpan);
  EXPECT_TRUE(context->sampled);
  EXPECT_EQ(FormatTraceparent(*context), text);
}

TEST(TraceContext, OfTheFlagsOnlyTheLowestIsKnown) {
  EXPECT_FALSE(ParseTraceparent(With("00", kTrace, kSpan, "00"))->sampled);
  EXPECT_FALSE(ParseTraceparent(With("00", kTrace, kSpan, "fe"))->sampled);
  const auto all = ParseTraceparent(With("00", kTrace, kSpan, "ff"));
  EXPECT_TRUE(all->sampled);
  EXPECT_EQ(FormatTraceparent(*all), With("00", kTrace, kSpan, "01"));
}

TEST(TraceContext, OfALaterVersionReadsWhatItKnows) {
  const std::string later = With("cc", kTrace, kSpan, "01");
  EXPECT_TRUE(ParseTraceparent(later).has_value());
  EXPECT_TRUE(ParseTraceparent(later + "-what-comes-then").has_value());
  EXPECT_FALSE(ParseTraceparent(later + ".what").has_value());
}

TEST(TraceContext, RefusesEverythingElse) {
  const std::string trace = kTrace;
  const std::string good = With("00", trace, kSpan, "01");
  for (const std::string& bad : {
           std::string(),
           std::string("00"),
           good.substr(0, good.size() - 1),
           good + "0",
           good + "-00",
           " " + good,
           good + " ",
           With("ff", trace, kSpan, "01"),
           With("0G", trace, kSpan, "01"),
           With("00", std::string(32, '0'), kSpan, "01"),
           With("00", trace, std::string(16, '0'), "01"),
           With("00", "4BF92F3577B34DA6A3CE929D0E0E4736", kSpan, "01"),
           With("00", trace, "00F067AA0BA902B7", "01"),
           With("00", trace, kSpan, "0A"),
           With("00", trace, kSpan, "0x"),
           With("00", trace.substr(1), kSpan, "011"),
           std::string("00_") + kTrace + "-" + kSpan + "-01",
           std::string("00-") + kTrace + "_" + kSpan + "-01",
           std::string("00-") + kTrace + "-" + kSpan + "_01",
       }) {
    EXPECT_FALSE(ParseTraceparent(bad).has_value()) << bad;
  }
}

TEST(TraceContext, GoesOnWithASpanOfItsOwn) {
  const TraceContext next = ContinueTrace(With("00", kTrace, kSpan, "00"));
  EXPECT_EQ(next.trace_id, kTrace);
  EXPECT_NE(next.span_id, kSpan);
  EXPECT_FALSE(next.sampled);
  EXPECT_TRUE(ParseTraceparent(FormatTraceparent(next)).has_value());
}

TEST(TraceContext, BeginsANewTraceWhereNoneCanBeRead) {
  const TraceContext first = ContinueTrace("");
  const TraceContext second = ContinueTrace("00-nonsense");
  EXPECT_THAT(FormatTraceparent(first), MatchesRegex("00-[0-9a-f]+-[0-9a-f]+-01"));
  EXPECT_TRUE(ParseTraceparent(FormatTraceparent(first)).has_value());
  EXPECT_NE(first.trace_id, second.trace_id);
}

TEST(TraceLogger, PutsTheTraceBehindTheFields) {
  RecordingLogger recording;
  TraceLogger(recording, kTrace).Info("session.started", {{"session", "sess_1"}, {"epoch", 2}});
  TraceLogger(recording, "").Warning("store.recovered", {});
  EXPECT_THAT(recording.lines(),
              ElementsAre("info    test session.started session=sess_1 epoch=2 trace_id=" +
                              std::string(kTrace),
                          "warning test store.recovered"));
}

}  // namespace
}  // namespace voicebridge
