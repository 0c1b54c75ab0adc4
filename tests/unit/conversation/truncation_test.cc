#include "bridge_worker/conversation/truncation.h"

#include <gtest/gtest.h>

namespace voicebridge::worker {
namespace {

TEST(Truncation, BringsEachRequestIntoALegalForm) {
  struct Case {
    const char* name;
    ItemAudioState audio;
    std::uint64_t requested_ms;
    TruncateAction action;
    std::uint64_t audio_end_ms;
  };
  const Case cases[] = {
      {"within what was sent", {48'000, 48'000, false}, 1500, TruncateAction::kTruncate, 1500},
      {"more than was sent", {24'000, 48'000, false}, 1500, TruncateAction::kTruncate, 1000},
      {"all sent, still growing", {48'000, 48'000, false}, 9000, TruncateAction::kTruncate, 2000},
      {"floors to whole milliseconds",
       {24'023, 48'000, true},
       1500,
       TruncateAction::kTruncate,
       1000},
      {"nothing heard", {48'000, 48'000, true}, 0, TruncateAction::kDelete, 0},
      {"nothing sent", {0, 48'000, false}, 700, TruncateAction::kDelete, 0},
      {"less than a millisecond sent", {23, 48'000, false}, 700, TruncateAction::kDelete, 0},
      {"not begun", {0, 0, false}, 700, TruncateAction::kDelete, 0},
      {"played to the end", {48'000, 48'000, true}, 2000, TruncateAction::kPlayedToEnd, 2000},
      {"past the end", {48'000, 48'000, true}, 2500, TruncateAction::kPlayedToEnd, 2000},
      {"played, with a fraction left",
       {48'010, 48'010, true},
       2000,
       TruncateAction::kPlayedToEnd,
       2000},
      {"done, not all sent", {24'000, 48'000, true}, 2000, TruncateAction::kTruncate, 1000},
      {"cut before, longer now", {48'000, 24'000, true}, 1500, TruncateAction::kPlayedToEnd, 1000},
      {"cut before, shorter now", {48'000, 24'000, true}, 500, TruncateAction::kTruncate, 500},
  };
  for (const Case& c : cases) {
    const TruncatePlan plan = PlanTruncate(c.audio, c.requested_ms);
    EXPECT_EQ(plan.action, c.action) << c.name;
    EXPECT_EQ(plan.audio_end_ms, c.audio_end_ms) << c.name;
  }
}

TEST(Truncation, CutsTheTranscriptAtAWord) {
  struct Case {
    const char* transcript;
    std::uint64_t kept;
    const char* cut;
  };
  const Case cases[] = {
      {"one two three four", 100, "one two three four"},
      {"one two three four", 120, "one two three four"},
      {"one two three four", 50, "one two"},
      {"one two three four", 40, "one two"},
      {"one two three four", 30, "one"},
      {"one two three four", 5, ""},
      {"one two three four", 0, ""},
      {"unbroken", 50, "unbr"},
      {"\xE4\xBD\xA0\xE5\xA5\xBD", 50, "\xE4\xBD\xA0"},
      {"\xE4\xBD\xA0\xE5\xA5\xBD", 80, "\xE4\xBD\xA0"},
      {"", 50, ""},
  };
  for (const Case& c : cases) {
    EXPECT_EQ(CutTranscript(c.transcript, c.kept, 100), c.cut) << c.transcript << " " << c.kept;
  }
}

}  // namespace
}  // namespace voicebridge::worker
