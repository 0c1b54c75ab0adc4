// How long the user waits for the first sound of an answer, as metrics learn it.
#include <gtest/gtest.h>

#include "tests/unit/conversation/script.h"

namespace voicebridge::worker {
namespace {

constexpr std::string_view kCommit = R"({"type":"input_audio_buffer.commit"})";

TEST(AnswerDelay, IsFromTheCommitToTheFirstAudioOnce) {
  Script script;
  script.Start();
  script.ClientAudio(24'000);
  script.Client(kCommit);
  script.Wait(milliseconds(300));
  EXPECT_FALSE(script.TakeAnswerDelay().has_value());
  script.Speak("resp_1", "item_1", 2'400);
  EXPECT_EQ(script.TakeAnswerDelay(), milliseconds(300));
  script.Wait(milliseconds(100));
  script.Audio("resp_1", "item_1", "more");
  EXPECT_FALSE(script.TakeAnswerDelay().has_value());
}

TEST(AnswerDelay, OfVoiceActivityIsFromTheEndOfTheSpeech) {
  Script script;
  script.Start(kServerVad);
  script.ClientAudio(24'000);
  script.Upstream(
      R"({"type":"input_audio_buffer.speech_stopped","item_id":"u","audio_end_ms":900})");
  script.Wait(milliseconds(200));
  script.Upstream(
      R"({"type":"input_audio_buffer.committed","item_id":"u","previous_item_id":null})");
  script.Wait(milliseconds(50));
  script.Speak("resp_1", "item_1", 2'400);
  EXPECT_EQ(script.TakeAnswerDelay(), milliseconds(250));
}

TEST(AnswerDelay, ATurnThatIsGoneOnWithOrCalledOffHasNone) {
  Script script;
  script.Start(kServerVad);
  script.ClientAudio(24'000);
  script.Upstream(
      R"({"type":"input_audio_buffer.speech_stopped","item_id":"u","audio_end_ms":900})");
  script.Upstream(
      R"({"type":"input_audio_buffer.speech_started","item_id":"v","audio_start_ms":950})");
  script.Speak("resp_1", "item_1", 2'400);
  EXPECT_FALSE(script.TakeAnswerDelay().has_value());
  script.Done("resp_1");
  script.Client(kCommit);
  script.Client(R"({"type":"response.cancel"})");
  script.Speak("resp_2", "item_2", 2'400);
  EXPECT_FALSE(script.TakeAnswerDelay().has_value());
}

TEST(AnswerDelay, SpeechThatNobodySpokeForHasNone) {
  Script script;
  script.Start();
  script.Speak("resp_1", "item_1", 2'400);
  EXPECT_FALSE(script.TakeAnswerDelay().has_value());
}

}  // namespace
}  // namespace voicebridge::worker
