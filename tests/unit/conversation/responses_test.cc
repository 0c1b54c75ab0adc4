// Responses: one at a time, cancelled by id, errors that close a request or disappear.
#include <gtest/gtest.h>

#include <string>

#include "tests/unit/conversation/script.h"

namespace voicebridge::worker {
namespace {

constexpr std::string_view kCollision = "conversation_already_has_active_response";

TEST(Responses, AreHeldWhileOneIsRequestedOrActive) {
  Script script;
  script.Start();
  script.Client(R"({"type":"response.create","event_id":"a"})");
  script.Client(R"({"type":"response.create","response":{"metadata":{"n":"2"}}})");
  EXPECT_EQ(script.SentTypes(), "response.create");
  EXPECT_EQ(script.LastSent("event_id"), "a");
  script.Created("r1");
  EXPECT_EQ(script.Sent().size(), 1U);
  script.Done("r1");
  ASSERT_EQ(script.Sent().size(), 2U);
  EXPECT_EQ(script.LastSent("response.metadata.n"), "2");
  EXPECT_TRUE(script.LastSent("event_id").starts_with("vb_"));
  EXPECT_EQ(script.ClientTypes(), "response.created response.done");
}

TEST(Responses, BeyondTheBoundAreRefusedVisibly) {
  Script script;
  script.Start();
  for (int i = 0; i < 17; ++i) {
    script.Client(R"({"type":"response.create"})");
  }
  EXPECT_EQ(script.ClientTypes(), "");
  script.Client(R"({"type":"response.create","event_id":"late"})");
  ASSERT_EQ(script.ClientTypes(), "error");
  EXPECT_EQ(script.LastToClient("error.code"), kCollision);
  EXPECT_EQ(script.LastToClient("error.event_id"), "late");
}

TEST(Responses, OutOfBandPassAtOnce) {
  Script script;
  script.Start();
  script.Client(R"({"type":"response.create"})");
  script.Client(R"({"type":"response.create","response":{"conversation":"none"}})");
  EXPECT_EQ(script.SentTypes(), "response.create response.create");
}

TEST(Responses, ThatCollideWithAnUnaskedOneAreSentAgainAndTheErrorIsSwallowed) {
  Script script;
  script.Start(kServerVad);
  script.Client(R"({"type":"response.create","event_id":"a"})");
  script.Created("unasked");
  script.Fails("a", kCollision);
  EXPECT_EQ(script.Sent().size(), 1U);
  script.Done("unasked");
  ASSERT_EQ(script.Sent().size(), 2U);
  EXPECT_EQ(script.LastSent("event_id"), "a");
  EXPECT_EQ(script.ClientTypes(), "response.created response.done");
}

TEST(Responses, AreTriedThreeTimesBeforeTheClientSeesTheCollision) {
  Script script;
  script.Start();
  script.Client(R"({"type":"response.create"})");
  for (int i = 0; i < 3; ++i) {
    EXPECT_EQ(script.ClientTypes(), "");
    script.Fails(script.LastSent("event_id"), kCollision);
  }
  EXPECT_EQ(script.Sent().size(), 3U);
  ASSERT_EQ(script.ClientTypes(), "error");
  EXPECT_EQ(script.LastToClient("error.event_id"), "null") << "our id is not shown";
}

TEST(Responses, ThatFailAreClosedAndTheNextOneGoes) {
  Script script;
  script.Start();
  script.Client(R"({"type":"response.create","event_id":"a"})");
  script.Client(R"({"type":"response.create","event_id":"b"})");
  script.Fails("a", "rate_limit_exceeded");
  ASSERT_EQ(script.ClientTypes(), "error");
  EXPECT_EQ(script.LastToClient("error.event_id"), "a");
  EXPECT_EQ(script.LastSent("event_id"), "b");
}

TEST(Responses, ThatDoNotStartInTimeBecomeAVisibleError) {
  Script script;
  script.Start();
  script.Client(R"({"type":"response.create","event_id":"a"})");
  script.Client(R"({"type":"response.create","event_id":"b"})");
  EXPECT_EQ(script.conversation().NextDeadline(), script.now() + seconds(10));
  script.Wait(seconds(10));
  ASSERT_EQ(script.ClientTypes(), "error");
  EXPECT_EQ(script.LastToClient("error.code"), "response_start_timeout");
  EXPECT_EQ(script.LastToClient("error.type"), "server_error");
  EXPECT_EQ(script.LastToClient("error.event_id"), "a");
  EXPECT_EQ(script.LastSent("event_id"), "b");
}

TEST(Responses, WaitForTheOneThatVoiceActivityStarts) {
  Script script;
  script.Start(kServerVad);
  script.ClientAudio(24'000);
  script.Upstream(
      R"({"type":"input_audio_buffer.speech_stopped","item_id":"u","audio_end_ms":900})");
  script.Upstream(
      R"({"type":"input_audio_buffer.committed","item_id":"u","previous_item_id":null})");
  script.Client(R"({"type":"response.create"})");
  EXPECT_EQ(script.SentTypes(), "");
  script.Created("unasked");
  script.Done("unasked");
  EXPECT_EQ(script.SentTypes(), "response.create");
}

TEST(Responses, DoneWithoutCreatedIsTolerated) {
  Script script;
  script.Start();
  script.Done("never created");
  EXPECT_EQ(script.ClientTypes(), "response.done");
  script.Client(R"({"type":"response.create"})");
  EXPECT_EQ(script.SentTypes(), "response.create");
}

TEST(Responses, AnErrorAboutSomethingElseDoesNotCloseTheRequest) {
  Script script;
  script.Start();
  script.Client(R"({"type":"response.create","event_id":"a"})");
  script.Client(R"({"type":"response.create","event_id":"b"})");
  script.Fails("x", "item_delete_invalid_item_id");
  script.Fails("", "server_error");
  EXPECT_EQ(script.Sent().size(), 1U);
  EXPECT_EQ(script.ClientTypes(), "error error");
}

TEST(Cancel, NamesTheOpenResponseAndStopsItsAudio) {
  Script script;
  script.Start();
  script.Speak("r1", "i1", 2400);
  script.Forget();
  script.Client(R"({"type":"response.cancel","event_id":"c"})");
  ASSERT_EQ(script.SentTypes(), "response.cancel");
  EXPECT_EQ(script.LastSent("response_id"), "r1");
  EXPECT_EQ(script.LastSent("event_id"), "c");
  ASSERT_EQ(script.All<DropQueuedAudio>().size(), 1U);
  EXPECT_EQ(script.All<DropQueuedAudio>()[0].response_id, "r1");
  script.Audio("r1", "i1", "late");
  EXPECT_TRUE(script.All<SendClientAudio>().empty());
  script.Upstream(R"({"type":"response.output_audio.done","response_id":"r1","item_id":"i1"})");
  script.Done("r1");
  EXPECT_EQ(script.ClientTypes(), "response.output_audio.done response.done");
  script.Client(R"({"type":"response.cancel"})");
  EXPECT_EQ(script.Sent().size(), 1U);
}

TEST(Cancel, OfNothingSendsNothing) {
  Script script;
  script.Start();
  script.Client(R"({"type":"response.cancel"})");
  script.Client(R"({"type":"response.cancel","response_id":"gone"})");
  EXPECT_TRUE(script.effects().empty());
}

TEST(Cancel, WaitsForARequestedResponseToBeCreated) {
  Script script;
  script.Start();
  script.Client(R"({"type":"response.create"})");
  script.Client(R"({"type":"response.cancel"})");
  EXPECT_EQ(script.SentTypes(), "response.create");
  script.Created("r1");
  ASSERT_EQ(script.SentTypes(), "response.create response.cancel");
  EXPECT_EQ(script.LastSent("response_id"), "r1");
}

TEST(Cancel, TooLateIsNobodysError) {
  Script script;
  script.Start();
  script.Fails("c", "response_cancel_not_active");
  script.Fails("", "response_cancel_not_active");
  EXPECT_EQ(script.ClientTypes(), "");
}

TEST(BargeIn, DropsTheActiveResponsesAudio) {
  Script script;
  script.Start(kServerVad);
  script.Speak("r1", "i1", 2400);
  script.Forget();
  script.Upstream(R"({"type":"input_audio_buffer.speech_started","item_id":"u"})");
  ASSERT_EQ(script.effects().size(), 2U);
  EXPECT_EQ(std::get<DropQueuedAudio>(script.effects()[0]).response_id, "r1");
  EXPECT_EQ(std::get<SendClientEvent>(script.effects()[1]).event.drops_audio_of_response_id(),
            "r1");
  script.Audio("r1", "i1", "late");
  EXPECT_TRUE(script.All<SendClientAudio>().empty());
}

TEST(BargeIn, IsLeftToTheClientWhereTheSessionDoesNotInterrupt) {
  for (const std::string_view detection :
       {std::string_view("null"),
        std::string_view(R"({"type":"server_vad","interrupt_response":false})")}) {
    Script script;
    script.Start(detection);
    script.Speak("r1", "i1", 2400);
    script.Forget();
    script.Upstream(R"({"type":"input_audio_buffer.speech_started","item_id":"u"})");
    EXPECT_EQ(script.effects().size(), 1U) << detection;
    script.Audio("r1", "i1", "more");
    EXPECT_EQ(script.All<SendClientAudio>().size(), 1U);
  }
}

TEST(Errors, AboutKeyOrAccountDoNotCarryTheUpstreamsText) {
  Script script;
  script.Start();
  script.Fails("", "insufficient_quota");
  ASSERT_EQ(script.ClientTypes(), "error");
  EXPECT_EQ(script.LastToClient("error.code"), "insufficient_quota");
  EXPECT_EQ(script.LastToClient("error.message").find("sk-secret"), std::string::npos);
}

TEST(Errors, ThatNameAClientsOwnEventPassUnchanged) {
  Script script;
  script.Start();
  script.Fails("mine", "invalid_value");
  EXPECT_EQ(script.LastToClient("error.event_id"), "mine");
  EXPECT_EQ(script.LastToClient("error.message"), "m sk-secret");
}

TEST(Errors, OfAClientsEventThatLooksLikeOursAreTranslatedBack) {
  Script script;
  script.Start();
  script.Client(R"({"type":"response.create","event_id":"vb_9"})");
  EXPECT_NE(script.LastSent("event_id"), "vb_9");
  script.Fails(script.LastSent("event_id"), "server_error");
  EXPECT_EQ(script.LastToClient("error.event_id"), "vb_9");
}

TEST(Errors, AboutACommandThatIsForgottenDoNotShowItsId) {
  Script script;
  script.Start();
  script.Client(R"({"type":"response.create"})");
  script.Wait(seconds(10));
  script.Fails(script.LastSent("event_id"), "rate_limit_exceeded");
  EXPECT_EQ(script.LastToClient("error.event_id"), "null");
}

TEST(Seq, RisesByOneOverEventsAndAudio) {
  Script script;
  script.Start();
  script.Speak("r1", "i1", 10);
  script.Client(R"({"type":"session.update"})");
  std::uint64_t expected = 0;
  for (const Effect& effect : script.effects()) {
    if (const auto* event = std::get_if<SendClientEvent>(&effect)) {
      EXPECT_EQ(event->event.seq(), ++expected);
    } else if (const auto* audio = std::get_if<SendClientAudio>(&effect)) {
      EXPECT_EQ(audio->audio.seq(), ++expected);
    }
  }
  EXPECT_EQ(expected, 4U);
}

TEST(OutputAudioEvents, CarryTheirPlaceAndWholeSamples) {
  Script script;
  script.Start();
  script.Created("r1");
  script.Audio("r1", "i1", "abc");
  script.Audio("r1", "i1", "d");
  const auto audio = script.All<SendClientAudio>();
  ASSERT_EQ(audio.size(), 2U);
  EXPECT_EQ(audio[0].audio.pcm(), "ab");
  EXPECT_EQ(audio[1].audio.pcm(), "cd");
  EXPECT_EQ(audio[1].audio.first_sample(), 1U);
  EXPECT_EQ(audio[1].audio.item_id(), "i1");
  EXPECT_EQ(audio[1].audio.response_id(), "r1");
  EXPECT_EQ(audio[1].audio.output_index(), 1U);
  EXPECT_EQ(audio[1].audio.content_index(), 2U);
  EXPECT_EQ(audio[1].audio.event_id(), "ev");
  script.Upstream(R"({"type":"response.output_audio.delta","item_id":"i1","delta":"!"})");
  EXPECT_EQ(script.conversation().protocol_errors(), 1U);
}

}  // namespace
}  // namespace voicebridge::worker
