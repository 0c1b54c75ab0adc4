#include <gtest/gtest.h>

#include <string>

#include "bridge_worker/conversation/input_audio.h"
#include "bridge_worker/conversation/output_audio.h"

namespace voicebridge::worker {
namespace {

TEST(InputAudio, KnowsHowFarEachCommitReaches) {
  InputAudio input;
  input.Appended(0, 2400);
  input.CommitSent("a", "");
  input.Appended(2400, 4800);
  EXPECT_EQ(input.Buffered(), 4800U);
  input.CommitSent("b", "");
  EXPECT_EQ(input.Buffered(), 0U);
  EXPECT_EQ(input.Committed("i1")->through_sample, 2400U);
  EXPECT_EQ(input.Committed("i2")->through_sample, 7200U);
  EXPECT_FALSE(input.Committed("i3"));
}

TEST(InputAudio, HasARefusedCommitsAudioInTheBufferAgain) {
  InputAudio input;
  input.Appended(0, 2400);
  input.CommitSent("a", "client_a");
  input.Appended(2400, 100);
  EXPECT_FALSE(input.CommitRefused("b"));
  EXPECT_EQ(input.CommitRefused("a"), "client_a");
  EXPECT_EQ(input.Buffered(), 2500U);
  input.Cleared();
  EXPECT_EQ(input.Buffered(), 0U);
}

TEST(InputAudio, CountsVoiceActivityFromTheFirstSampleOfThisUpstream) {
  InputAudio input;
  input.Appended(24'000, 48'000);
  input.SpeechEnded("i1", 500);
  const auto commit = input.Committed("i1");
  ASSERT_TRUE(commit);
  EXPECT_TRUE(commit->by_voice_activity);
  EXPECT_EQ(commit->through_sample, 36'000U);
  input.SpeechEnded("i2", 60'000);
  EXPECT_EQ(input.Committed("i2")->through_sample, 72'000U) << "never more than was sent";
}

TEST(OutputAudio, JoinsASampleThatTwoDeltasShare) {
  OutputAudio output;
  EXPECT_EQ(output.Add("i", "r", "abc", true).pcm, "ab");
  const OutputAudio::Piece piece = output.Add("i", "r", "def", true);
  EXPECT_EQ(piece.pcm, "cdef");
  EXPECT_EQ(piece.first_sample, 1U);
  EXPECT_EQ(output.Add("other", "r", "x", true).pcm, "") << "each item carries its own byte";
  EXPECT_EQ(output.Add("other", "r", "", true).pcm, "");
  EXPECT_EQ(output.Add("other", "r", "y", true).pcm, "xy");
}

TEST(OutputAudio, CountsWhatWasSentAndWhatWasGenerated) {
  OutputAudio output;
  EXPECT_FALSE(output.StateOf("i"));
  output.Add("i", "r", "abcd", true);
  output.Add("i", "r", "efgh", false);
  EXPECT_EQ(output.StateOf("i")->sent, 2U);
  EXPECT_EQ(output.StateOf("i")->generated, 4U);
  EXPECT_FALSE(output.StateOf("i")->complete);
  EXPECT_EQ(output.ResponseOf("i"), "r");
  output.ItemDone("i");
  EXPECT_TRUE(output.StateOf("i")->complete);
  output.Deleted("i");
  EXPECT_EQ(output.StateOf("i")->generated, 0U);
}

TEST(OutputAudio, KeepsTheShortestTruncation) {
  OutputAudio output;
  output.Add("i", "r", std::string(200, 'x'), true);
  output.Truncate("i", 60);
  output.Truncate("i", 80);
  EXPECT_EQ(output.StateOf("i")->generated, 60U);
  EXPECT_TRUE(output.StateOf("i")->complete);
  EXPECT_EQ(output.GeneratedFor("i"), 100U);
  EXPECT_TRUE(output.WasTruncated("i"));
}

TEST(OutputAudio, OfADeletedItemIsNotWantedAnyMore) {
  OutputAudio output;
  output.Add("i1", "r1", std::string(4, 'a'), true);
  output.Deleted("i1");
  EXPECT_TRUE(output.WasTruncated("i1"));
  EXPECT_EQ(output.Add("i1", "r1", std::string(4, 'a'), false).first_sample, 2U);
}

TEST(OutputAudio, CompletesAllItemsOfAResponseAndForgetsTheOldestItems) {
  OutputAudio output;
  output.Add("a", "r", "xx", true);
  output.Add("b", "r", "xx", true);
  output.ResponseDone("r");
  EXPECT_TRUE(output.StateOf("a")->complete);
  EXPECT_TRUE(output.StateOf("b")->complete);
  for (std::size_t i = 0; i < OutputAudio::kItemsMax; ++i) {
    output.Add("n" + std::to_string(i), "r2", "xx", true);
  }
  EXPECT_FALSE(output.StateOf("a"));
}

}  // namespace
}  // namespace voicebridge::worker
