#include "deploy/ctl/talk_machine.h"

#include <fmt/format.h>
#include <gmock/gmock.h>

#include "common/core/base64.h"
#include "common/core/status.h"

namespace voicebridge::ctl {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

constexpr TimePoint kStart{hours(1)};
constexpr std::string_view kPushToTalkSession =
    R"({"type":"session.created","session":{"id":"sess_up","audio":{"input":{)"
    R"("turn_detection":null,"transcription":{"model":"whisper-1"}}}}})";
constexpr std::string_view kVadSession =
    R"({"type":"session.created","session":{"id":"sess_up","audio":{"input":{)"
    R"("turn_detection":{"type":"server_vad"},"transcription":{"model":"whisper-1"}}}}})";
constexpr std::string_view kMuteSession =
    R"({"type":"session.created","session":{"id":"sess_up","audio":{"input":{)"
    R"("turn_detection":null,"transcription":null}}}})";
constexpr std::string_view kAnswered =
    R"({"type":"response.done","response":{"status":"completed"}})";

// A machine and the words for its effects: "send TYPE", "speech", "print LINE", "finish [MESSAGE]".
class TalkMachineTest : public testing::Test {
 protected:
  std::vector<std::string> On(std::string_view event) {
    return Describe(machine.OnEvent(ParseObject(event).value(), now));
  }
  std::vector<std::string> SpeechSent() { return Describe(machine.OnSpeechSent(now)); }
  std::vector<std::string> Closed(std::uint16_t code, std::string_view reason) {
    return Describe(machine.OnClosed(code, reason));
  }
  std::vector<std::string> Time() { return Describe(machine.OnTime(now)); }

  void SpeakAndCommit(std::string_view session = kPushToTalkSession) {
    On(session);
    SpeechSent();
    On(R"({"type":"input_audio_buffer.committed","item_id":"item_u"})");
    On(R"({"type":"response.output_item.added","item":{"id":"item_a","type":"message"}})");
  }
  void Say(std::string_view text) {
    On(fmt::format(
        R"({{"type":"response.output_audio_transcript.delta","item_id":"item_a","delta":"{}"}})",
        text));
  }
  std::vector<std::string> Transcribe(std::string_view text) {
    return On(fmt::format(R"({{"type":"conversation.item.input_audio_transcription.completed",)"
                          R"("item_id":"item_u","transcript":"{}"}})",
                          text));
  }
  void Hear(std::string_view pcm) {
    std::string delta;
    AppendBase64(pcm, delta);
    On(fmt::format(R"({{"type":"response.output_audio.delta","delta":"{}"}})", delta));
  }

  static std::vector<std::string> Describe(const TalkEffects& effects) {
    std::vector<std::string> words;
    for (const TalkEffect& effect : effects) {
      words.push_back(std::visit([](const auto& one) { return Word(one); }, effect));
    }
    return words;
  }
  static std::string Word(const SendText& effect) {
    return "send " + std::string(StringOr(ParseObject(effect.json).value(), "type"));
  }
  static std::string Word(const SendSpeech&) { return "speech"; }
  static std::string Word(const Print& effect) { return "print " + effect.line; }
  static std::string Word(const Finish& effect) {
    return effect.status.ok() ? "finish" : "finish " + Message(effect.status);
  }

  TimePoint now = kStart;
  TalkMachine machine{milliseconds(2340)};
};

TEST_F(TalkMachineTest, SpeaksAtOnceWhenTheSessionIsPushToTalk) {
  EXPECT_THAT(On(kPushToTalkSession), ElementsAre("print connected", "speech"));
}

TEST_F(TalkMachineTest, SwitchesTurnDetectionOffFirstAndWaitsForTheConfirmation) {
  const TalkEffects effects = machine.OnEvent(ParseObject(kVadSession).value(), now);
  ASSERT_EQ(effects.size(), 2U);
  const json::object update = ParseObject(std::get<SendText>(effects[1]).json).value();
  EXPECT_EQ(StringOr(update, "type"), "session.update");
  ASSERT_NE(FindPath(update, "session.audio.input.turn_detection"), nullptr);
  EXPECT_TRUE(FindPath(update, "session.audio.input.turn_detection")->is_null());
  EXPECT_EQ(*FindPath(update, "session.type"), json::value("realtime"));

  EXPECT_THAT(On(R"({"type":"session.updated","session":{}})"), ElementsAre("speech"));
}

TEST_F(TalkMachineTest, FailsWhenTurnDetectionCannotBeSwitchedOff) {
  On(kVadSession);
  EXPECT_THAT(On(R"({"type":"error","error":{"code":"locked","message":"field is locked",)"
                 R"("event_id":"talk_session_update"}})"),
              ElementsAre("print error locked: field is locked",
                          HasSubstr("finish turn detection cannot be switched off: locked")));
}

TEST_F(TalkMachineTest, CommitsAndAsksForAnAnswerOnceTheSpeechIsSent) {
  On(kPushToTalkSession);
  EXPECT_THAT(SpeechSent(), ElementsAre("print sent 2.3 s of speech",
                                        "send input_audio_buffer.commit", "send response.create"));
}

TEST_F(TalkMachineTest, FinishesWithTranscriptsAudioAndIdsOfTheTurn) {
  On(R"({"type":"voicebridge.session.ready","session_id":"sess_gw","profile":"assistant"})");
  SpeakAndCommit();
  Say("Good ");
  now += milliseconds(250);
  Hear("ab");
  now += milliseconds(50);
  Hear("cd");
  Say("day.");
  EXPECT_THAT(Transcribe("Hello."), ElementsAre("print you: Hello."));
  EXPECT_THAT(On(kAnswered), ElementsAre("print assistant: Good day.", "finish"));

  EXPECT_EQ(machine.result().session_id, "sess_gw");
  EXPECT_EQ(machine.result().user_item_id, "item_u");
  EXPECT_EQ(machine.result().pcm, "abcd");
  EXPECT_EQ(machine.result().first_audio, milliseconds(250));
  EXPECT_EQ(machine.captions().TextOf(Captions::Speaker::kAssistant), "Good day.");
  EXPECT_THAT(machine.captions().ItemsOf(Captions::Speaker::kAssistant), ElementsAre("item_a"));
}

TEST_F(TalkMachineTest, TheLateTranscriptStillComesBeforeTheAnswer) {
  SpeakAndCommit();
  Say("Good day.");
  EXPECT_THAT(On(kAnswered), IsEmpty());
  EXPECT_THAT(Transcribe("Hello."),
              ElementsAre("print you: Hello.", "print assistant: Good day.", "finish"));
}

TEST_F(TalkMachineTest, WaitsFiveSecondsForATranscriptAndNotLonger) {
  SpeakAndCommit();
  Say("Good day.");
  EXPECT_EQ(machine.NextDeadline(), std::nullopt);
  On(kAnswered);
  ASSERT_EQ(machine.NextDeadline(), Deadline::At(now + seconds(5)));
  now += milliseconds(4999);
  EXPECT_THAT(Time(), IsEmpty());
  now += milliseconds(1);
  EXPECT_THAT(Time(), ElementsAre("print you: (no transcript came within 5 s)",
                                  "print assistant: Good day.", "finish"));
  EXPECT_EQ(machine.captions().TextOf(Captions::Speaker::kUser), "");
}

TEST_F(TalkMachineTest, DoesNotWaitForATranscriptThatTheSessionDoesNotMake) {
  SpeakAndCommit(kMuteSession);
  EXPECT_THAT(On(kAnswered), ElementsAre("print assistant: ", "finish"));
}

TEST_F(TalkMachineTest, AFailedTranscriptionDoesNotFailTheTurn) {
  SpeakAndCommit();
  EXPECT_THAT(On(R"({"type":"conversation.item.input_audio_transcription.failed",)"
                 R"("item_id":"item_u","error":{"code":"unclear","message":"noise"}})"),
              ElementsAre("print you: (no transcript: unclear: noise)"));
  EXPECT_THAT(On(kAnswered), ElementsAre("print assistant: ", "finish"));
}

TEST_F(TalkMachineTest, TellsTheModelThatNoToolIsAvailableAndAsksAgain) {
  SpeakAndCommit();
  Say("One moment.");
  const std::string_view call =
      R"({"type":"response.output_item.done","item":{"id":"item_f","type":"function_call",)"
      R"("status":"completed","call_id":"call_1","name":"weather","arguments":"{}"}})";
  On(call);
  On(call);
  EXPECT_THAT(On(kAnswered),
              ElementsAre("print the model calls weather; told that no tool is available",
                          "send conversation.item.create", "send response.create"));
  EXPECT_THAT(Transcribe("Hello."),
              ElementsAre("print you: Hello.", "print assistant: One moment."));
  EXPECT_THAT(On(kAnswered), ElementsAre("finish"));
}

TEST_F(TalkMachineTest, GivesUpOnAModelThatOnlyCallsFunctions) {
  SpeakAndCommit();
  for (int round = 1; round <= 4; ++round) {
    On(fmt::format(R"({{"type":"response.output_item.done","item":{{"type":"function_call",)"
                   R"("status":"completed","call_id":"call_{}","name":"f"}}}})",
                   round));
    const std::vector<std::string> effects = On(kAnswered);
    if (round <= 3) {
      EXPECT_EQ(effects.back(), "send response.create");
    } else {
      EXPECT_THAT(effects.back(), HasSubstr("finish the model called functions in 4 answers"));
    }
  }
}

TEST_F(TalkMachineTest, AnInterruptedFunctionCallIsNotAnswered) {
  SpeakAndCommit();
  Transcribe("Hello.");
  On(R"({"type":"response.output_item.done","item":{"type":"function_call",)"
     R"("status":"incomplete","call_id":"call_1","name":"f"}})");
  EXPECT_EQ(On(kAnswered).back(), "finish");
}

TEST_F(TalkMachineTest, AFailedAnswerSaysWhy) {
  SpeakAndCommit();
  EXPECT_THAT(On(R"({"type":"response.done","response":{"status":"failed","status_details":)"
                 R"({"error":{"code":"rate_limit_exceeded","message":"too fast"}}}})")
                  .back(),
              HasSubstr("finish the answer failed: rate_limit_exceeded: too fast"));
}

TEST_F(TalkMachineTest, ACancelledAnswerSaysWhy) {
  SpeakAndCommit();
  EXPECT_THAT(On(R"({"type":"response.done","response":{"status":"cancelled",)"
                 R"("status_details":{"reason":"turn_detected"}}})")
                  .back(),
              HasSubstr("finish the answer was cancelled: turn_detected"));
}

TEST_F(TalkMachineTest, AnErrorAboutOurOwnEventEndsTheTurnAndOthersAreShown) {
  SpeakAndCommit();
  EXPECT_THAT(On(R"({"type":"error","error":{"code":"odd","message":"m","event_id":null}})"),
              ElementsAre("print error odd: m"));
  EXPECT_THAT(On(R"({"type":"error","error":{"code":"input_audio_buffer_commit_empty",)"
                 R"("message":"buffer too small","event_id":"talk_commit"}})")
                  .back(),
              HasSubstr("finish the turn was refused: input_audio_buffer_commit_empty"));
}

TEST_F(TalkMachineTest, ACloseNamesItsReasonAndWhatToDo) {
  On(R"({"type":"voicebridge.session.ended","reason":"policy","message":"There is no profile"})");
  EXPECT_THAT(Closed(1008, ""),
              ElementsAre(testing::AllOf(HasSubstr("closed (1008: policy: There is no profile)"),
                                         HasSubstr("waiting for the session to be ready"),
                                         HasSubstr("--profile"))));
}

TEST_F(TalkMachineTest, ACloseAfterTheFinishChangesNothing) {
  SpeakAndCommit();
  Transcribe("Hello.");
  EXPECT_EQ(On(kAnswered).back(), "finish");
  EXPECT_THAT(Closed(1000, ""), IsEmpty());
  EXPECT_THAT(On(kAnswered), IsEmpty());
}

TEST_F(TalkMachineTest, RefusesAudioThatIsNone) {
  SpeakAndCommit();
  EXPECT_THAT(On(R"({"type":"response.output_audio.delta","delta":"!"})"),
              ElementsAre(HasSubstr("finish the server sent audio that is not base64")));
}

TEST_F(TalkMachineTest, IgnoresEventsThatItDoesNotKnow) {
  EXPECT_THAT(On(R"({"type":"rate_limits.updated","rate_limits":[]})"), IsEmpty());
  EXPECT_THAT(On(R"({"no":"type"})"), IsEmpty());
}

}  // namespace
}  // namespace voicebridge::ctl
