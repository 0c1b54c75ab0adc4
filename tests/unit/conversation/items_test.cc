// Items: order, transcripts, tool calls, user audio and truncation, as the snapshot tells them.
#include <gtest/gtest.h>

#include <map>
#include <string>

#include "tests/unit/conversation/script.h"

namespace voicebridge::worker {
namespace {

std::string UserItem(std::string_view id) {
  return fmt::format(R"({{"id":"{}","type":"message","role":"user","status":"completed",)"
                     R"("content":[{{"type":"input_audio","transcript":null}}]}})",
                     id);
}

std::string AssistantItem(std::string_view id, std::string_view transcript) {
  return fmt::format(R"({{"id":"{}","type":"message","role":"assistant","status":"completed",)"
                     R"("content":[{{"type":"output_audio","transcript":"{}"}}]}})",
                     id, transcript);
}

std::string Call(std::string_view status) {
  return fmt::format(R"({{"id":"f","type":"function_call","call_id":"call_1","name":"add",)"
                     R"("arguments":"{{}}","status":"{}"}})",
                     status);
}

void Transcribed(Script& script, std::string_view id, std::string_view text) {
  script.Upstream(fmt::format(R"({{"type":"conversation.item.input_audio_transcription.completed",)"
                              R"("item_id":"{}","content_index":0,"transcript":"{}"}})",
                              id, text));
}

std::string Truncate(std::string_view item, int audio_end_ms) {
  return fmt::format(R"({{"type":"conversation.item.truncate","event_id":"t","item_id":"{}",)"
                     R"("content_index":0,"audio_end_ms":{}}})",
                     item, audio_end_ms);
}

TEST(Items, StandInConversationOrderWhateverArrivesFirst) {
  Script script;
  script.Start();
  script.Added("null", UserItem("u1"));
  script.Speak("r1", "a1", 2400);
  script.ItemDone(AssistantItem("a1", "the answer"));
  script.Done("r1");
  EXPECT_EQ(script.Order(), "a1 u1") << "previous_item_id null means first";
  script.Added("\"a1\"", UserItem("u2"));
  EXPECT_EQ(script.Order(), "a1 u2 u1");
  Transcribed(script, "u1", "the question");
  EXPECT_EQ(script.Item(2).transcript(), "the question");
  EXPECT_EQ(script.Item(2).transcript_state(), v1::TRANSCRIPT_STATE_COMPLETED);
  EXPECT_EQ(script.Item(1).transcript_state(), v1::TRANSCRIPT_STATE_PENDING);
  EXPECT_EQ(script.Item(0).transcript(), "the answer");
  EXPECT_EQ(script.Item(0).audio_samples(), 2400U);
  EXPECT_TRUE(script.Item(0).done());
}

// As a store keeps them, one by one: whatever changes tells the predecessors that have changed.
TEST(Items, NameTheirPredecessorsWhateverChanges) {
  Script script;
  script.Start();
  script.Added("null", UserItem("u1"));
  script.Speak("r1", "a1", 2400);
  script.Added("\"a1\"", UserItem("u3"));
  script.Added("\"a1\"", UserItem("u2"));
  script.Added("null", UserItem("u0"));
  Transcribed(script, "u1", "late");
  script.ItemDone(AssistantItem("a1", "the answer"));
  script.Upstream(R"({"type":"conversation.item.deleted","item_id":"u2"})");
  std::map<std::string, std::string> previous;
  for (const PublishSnapshotDelta& published : script.All<PublishSnapshotDelta>()) {
    for (const std::string& id : published.delta.deleted_item_ids()) {
      previous.erase(id);
    }
    for (const v1::PlacedItem& placed : published.delta.upserted_items()) {
      previous[placed.item().id()] = placed.previous_item_id();
    }
  }
  EXPECT_EQ(script.Order(), "u0 a1 u3 u1");
  const std::map<std::string, std::string> wanted{
      {"u0", ""}, {"a1", "u0"}, {"u3", "a1"}, {"u1", "u3"}};
  EXPECT_EQ(previous, wanted);
}

TEST(Items, KeepNoAudioAndTheTranscriptInOnePlace) {
  Script script;
  script.Start();
  script.Added("null", R"({"id":"u","type":"message","role":"user","content":[)"
                       R"({"type":"input_audio","audio":"AAAA","transcript":"hello"}]})");
  EXPECT_EQ(script.Item(0).item_json(),
            R"({"id":"u","type":"message","role":"user","content":[{"type":"input_audio"}]})");
  EXPECT_EQ(script.Item(0).transcript(), "hello");
}

TEST(Items, RecordAFailedTranscription) {
  Script script;
  script.Start();
  script.Added("null", UserItem("u"));
  script.Upstream(R"({"type":"conversation.item.input_audio_transcription.failed","item_id":"u"})");
  EXPECT_EQ(script.Item(0).transcript_state(), v1::TRANSCRIPT_STATE_FAILED);
  EXPECT_EQ(script.ClientTypes(),
            "conversation.item.added conversation.item.input_audio_transcription.failed");
}

TEST(Items, TakeTheGatheredTranscriptWhenTheItemHasNone) {
  Script script;
  script.Start();
  script.Speak("r1", "a1", 2400);
  for (const char* delta : {"hel", "lo"}) {
    script.Upstream(fmt::format(R"({{"type":"response.output_audio_transcript.delta",)"
                                R"("response_id":"r1","item_id":"a1","delta":"{}"}})",
                                delta));
  }
  script.ItemDone(R"({"id":"a1","type":"message","role":"assistant","status":"incomplete",)"
                  R"("content":[{"type":"output_audio"}]})");
  EXPECT_EQ(script.Item(0).transcript(), "hello");
}

TEST(Items, OfAnOutOfBandResponseAreNotInTheConversation) {
  Script script;
  script.Start();
  script.Client(R"({"type":"response.create","response":{"conversation":"none"}})");
  script.Upstream(R"({"type":"response.created","response":{"id":"r1","conversation_id":null}})");
  script.Upstream(
      fmt::format(R"({{"type":"response.output_item.done","response_id":"r1","item":{}}})",
                  AssistantItem("a1", "aside")));
  script.Upstream(fmt::format(
      R"({{"type":"response.done","response":{{"id":"r1","conversation_id":null,"output":[{}]}}}})",
      AssistantItem("a1", "aside")));
  EXPECT_EQ(script.Order(), "");
}

TEST(Items, ThatWereDeletedDoNotComeBack) {
  Script script;
  script.Start();
  script.Speak("r1", "a1", 2400);
  script.Upstream(R"({"type":"conversation.item.deleted","item_id":"a1"})");
  script.ItemDone(AssistantItem("a1", "too late"));
  EXPECT_EQ(script.Order(), "");
  EXPECT_EQ(script.copy().items_size(), 0);
}

TEST(ToolCalls, AreAnnouncedOnceByWhicheverEventSaysSo) {
  const std::string item_done =
      R"({"type":"conversation.item.done","item":)" + Call("completed") + "}";
  const std::string output_done =
      R"({"type":"response.output_item.done","response_id":"r1","item":)" + Call("completed") + "}";
  const std::string response_done =
      R"({"type":"response.done","response":{"id":"r1","output":[)" + Call("completed") + "]}}";
  for (const std::string& first : {item_done, output_done, response_done}) {
    Script script;
    script.Start();
    script.Created("r1");
    script.Upstream(first);
    ASSERT_EQ(script.Order(), "f");
    EXPECT_EQ(script.Item(0).tool_call(), v1::TOOL_CALL_STATE_ANNOUNCED) << first;
    const std::uint64_t version = script.copy().version();
    for (const std::string& again : {item_done, output_done, response_done}) {
      script.Upstream(again);
    }
    EXPECT_EQ(script.copy().version(), version) << "nothing changed";
  }
}

TEST(ToolCalls, OfInterruptedResponsesAreNotAnnounced) {
  Script script;
  script.Start();
  script.Created("r1");
  script.ItemDone(Call("incomplete"));
  EXPECT_EQ(script.Item(0).tool_call(), v1::TOOL_CALL_STATE_UNSPECIFIED);
}

TEST(ToolCalls, AreAnsweredByTheirOutput) {
  Script script;
  script.Start();
  script.ItemDone(Call("completed"));
  script.Added("\"f\"",
               R"({"id":"o","type":"function_call_output","call_id":"call_1","output":"4"})");
  EXPECT_EQ(script.Order(), "f o");
  EXPECT_EQ(script.Item(0).tool_call(), v1::TOOL_CALL_STATE_ANSWERED);
  script.ItemDone(Call("completed"));
  EXPECT_EQ(script.Item(0).tool_call(), v1::TOOL_CALL_STATE_ANSWERED);
}

TEST(UserAudio, PassesAndIsAcceptedWithItsItem) {
  Script script;
  script.Start();
  script.ClientAudio(0);
  EXPECT_TRUE(script.effects().empty());
  script.ClientAudio(4800);
  EXPECT_EQ(script.All<SendUpstreamAudio>().size(), 1U);
  script.Client(R"({"type":"input_audio_buffer.commit","event_id":"c"})");
  EXPECT_EQ(script.LastSent("event_id"), "c");
  script.ClientAudio(100);
  script.Forget();
  script.Upstream(
      R"({"type":"input_audio_buffer.committed","item_id":"u","previous_item_id":null})");
  ASSERT_EQ(script.effects().size(), 3U);
  EXPECT_TRUE(std::holds_alternative<SendClientEvent>(script.effects()[0]));
  EXPECT_TRUE(std::holds_alternative<PublishSnapshotDelta>(script.effects()[1]));
  EXPECT_EQ(std::get<AcceptAudio>(script.effects()[2]).committed_through_sample, 4800U);
  EXPECT_EQ(script.copy().committed_through_sample(), 4800U);
  EXPECT_EQ(script.Order(), "u");
  EXPECT_EQ(script.Item(0).transcript_state(), v1::TRANSCRIPT_STATE_PENDING);
}

TEST(UserAudio, ThatIsTooShortIsNotCommitted) {
  Script script;
  script.Start();
  script.ClientAudio(2399);
  script.Client(R"({"type":"input_audio_buffer.commit","event_id":"c"})");
  EXPECT_EQ(script.SentTypes(), "");
  EXPECT_EQ(script.LastToClient("error.code"), "input_audio_buffer_commit_empty");
  EXPECT_EQ(script.LastToClient("error.event_id"), "c");
  script.ClientAudio(1);
  script.Client(R"({"type":"input_audio_buffer.commit"})");
  EXPECT_EQ(script.SentTypes(), "input_audio_buffer.commit");
  script.ClientAudio(2400);
  script.Client(R"({"type":"input_audio_buffer.clear"})");
  script.Client(R"({"type":"input_audio_buffer.commit"})");
  EXPECT_EQ(script.SentTypes(), "input_audio_buffer.commit input_audio_buffer.clear");
}

TEST(UserAudio, IsAcceptedWhereVoiceActivityEndsIt) {
  Script script;
  script.Start(kServerVad);
  script.ClientAudio(48'000);
  script.Client(R"({"type":"input_audio_buffer.commit"})");
  EXPECT_EQ(script.SentTypes(), "input_audio_buffer.commit") << "the upstream knows its buffer";
  script.Upstream(
      R"({"type":"input_audio_buffer.speech_stopped","item_id":"u","audio_end_ms":1500})");
  script.Upstream(
      R"({"type":"input_audio_buffer.committed","item_id":"u","previous_item_id":null})");
  ASSERT_EQ(script.All<AcceptAudio>().size(), 1U);
  EXPECT_EQ(script.All<AcceptAudio>()[0].committed_through_sample, 36'000U);
}

TEST(UserAudio, AnEmptyCommitIsShownOnlyToItsSender) {
  Script script;
  script.Start(kServerVad);
  script.Fails("", "input_audio_buffer_commit_empty");
  EXPECT_EQ(script.ClientTypes(), "");
  script.Client(R"({"type":"input_audio_buffer.commit"})");
  script.Fails(script.LastSent("event_id"), "input_audio_buffer_commit_empty");
  ASSERT_EQ(script.ClientTypes(), "error");
  EXPECT_EQ(script.LastToClient("error.event_id"), "null");
}

TEST(Truncate, IsClampedToWhatTheClientWasSent) {
  Script script;
  script.Start();
  script.Speak("r1", "a1", 36'000);
  script.Client(Truncate("a1", 9000));
  ASSERT_EQ(script.SentTypes(), "conversation.item.truncate");
  EXPECT_EQ(script.LastSent("audio_end_ms"), "1500");
  EXPECT_EQ(script.LastSent("event_id"), "t");
  EXPECT_EQ(script.All<DropQueuedAudio>().size(), 1U);
  script.Forget();
  script.Audio("r1", "a1", "late");
  EXPECT_TRUE(script.All<SendClientAudio>().empty());
}

TEST(Truncate, CutsTheSnapshotForGood) {
  Script script;
  script.Start();
  script.Speak("r1", "a1", 48'000);
  script.ItemDone(AssistantItem("a1", "one two three four"));
  script.Done("r1");
  script.Client(Truncate("a1", 1000));
  EXPECT_EQ(script.Item(0).transcript(), "one two three four") << "not yet confirmed";
  script.Upstream(
      R"({"type":"conversation.item.truncated","item_id":"a1","content_index":0,"audio_end_ms":1000})");
  EXPECT_EQ(script.Item(0).transcript(), "one two");
  EXPECT_EQ(script.Item(0).audio_samples(), 24'000U);
  script.ItemDone(AssistantItem("a1", "one two three four"));
  EXPECT_EQ(script.Item(0).transcript(), "one two");
  script.Forget();
  script.Client(Truncate("a1", 1500));
  EXPECT_EQ(script.SentTypes(), "") << "it is shorter already";
  EXPECT_EQ(script.LastToClient("audio_end_ms"), "1000");
}

TEST(Truncate, OfAnItemThatIsStillSpokenCutsWhatWasGathered) {
  Script script;
  script.Start();
  script.Speak("r1", "a1", 48'000);
  script.Upstream(R"({"type":"response.output_audio_transcript.delta","response_id":"r1",)"
                  R"("item_id":"a1","delta":"one two three four"})");
  script.Client(Truncate("a1", 1000));
  script.Upstream(
      R"({"type":"conversation.item.truncated","item_id":"a1","content_index":0,"audio_end_ms":1000})");
  script.ItemDone(AssistantItem("a1", "one two three four"));
  EXPECT_EQ(script.Item(0).transcript(), "one two");
  EXPECT_TRUE(script.Item(0).done());
}

TEST(Truncate, ToNothingDeletesTheItem) {
  Script script;
  script.Start();
  script.Speak("r1", "a1", 48'000);
  script.Forget();
  script.Client(Truncate("a1", 0));
  ASSERT_EQ(script.SentTypes(), "conversation.item.delete");
  script.Client(Truncate("a1", 0));
  EXPECT_EQ(script.Sent().size(), 1U);
  EXPECT_EQ(script.ClientTypes(), "");
  script.Upstream(R"({"type":"conversation.item.deleted","item_id":"a1"})");
  EXPECT_EQ(script.ClientTypes(), "conversation.item.truncated conversation.item.deleted");
  EXPECT_EQ(Script::Member(script.All<SendClientEvent>()[0].event.json(), "audio_end_ms"), "0");
  EXPECT_EQ(script.Order(), "");
}

TEST(Truncate, BeforeTheFirstAudioStopsAllThatFollows) {
  for (const bool announced : {false, true}) {
    Script script;
    script.Start();
    script.Created("r1");
    if (announced) {
      script.Upstream(R"({"type":"response.output_item.added","response_id":"r1",)"
                      R"("item":{"id":"a1","type":"message"}})");
    }
    script.Added("null", R"({"id":"a1","type":"message","role":"assistant","content":[]})");
    script.Client(Truncate("a1", 300));
    EXPECT_EQ(script.SentTypes(), "conversation.item.delete");
    script.Upstream(R"({"type":"conversation.item.deleted","item_id":"a1"})");
    script.Audio("r1", "a1", "late");
    EXPECT_TRUE(script.All<SendClientAudio>().empty());
  }
}

TEST(Truncate, WhoseDeleteIsRefusedIsAnsweredWithThatErrorAndMayBeTriedAgain) {
  Script script;
  script.Start();
  script.Speak("r1", "a1", 48'000);
  script.Client(Truncate("a1", 0));
  script.Fails("t", "item_delete_invalid_item_id");
  EXPECT_EQ(script.LastToClient("error.event_id"), "t");
  script.Client(Truncate("a1", 0));
  EXPECT_EQ(script.SentTypes(), "conversation.item.delete conversation.item.delete");
}

TEST(Truncate, AtTheEndIsAnsweredWithoutAsking) {
  Script script;
  script.Start();
  script.Speak("r1", "a1", 48'000);
  script.ItemDone(AssistantItem("a1", "all of it"));
  script.Done("r1");
  script.Forget();
  script.Client(Truncate("a1", 2500));
  EXPECT_EQ(script.SentTypes(), "");
  ASSERT_EQ(script.ClientTypes(), "conversation.item.truncated");
  EXPECT_EQ(script.LastToClient("audio_end_ms"), "2000");
  EXPECT_EQ(script.Item(0).transcript(), "all of it");
}

TEST(Truncate, RefusesWhatTheUpstreamWouldRefuse) {
  Script script;
  script.Start();
  script.Added("null", UserItem("u"));
  script.Added("\"u\"", R"({"id":"w","type":"message","role":"assistant",)"
                        R"("content":[{"type":"output_text","text":"hi"}]})");
  struct Case {
    std::string event;
    const char* code;
  };
  const Case cases[] = {
      {Truncate("unknown", 5), "item_truncate_invalid_item_id"},
      {Truncate("u", 5), "unsupported_content_type"},
      {Truncate("w", 5), "unsupported_content_type"},
      {Truncate("u", -5), "invalid_value"},
      {R"({"type":"conversation.item.truncate","item_id":"u"})", "missing_required_parameter"},
      {R"({"type":"conversation.item.truncate","audio_end_ms":1})", "missing_required_parameter"},
      {R"({"type":"conversation.item.truncate","item_id":"u","audio_end_ms":"x"})",
       "invalid_value"},
  };
  for (const Case& c : cases) {
    script.Forget();
    script.Client(c.event);
    EXPECT_EQ(script.SentTypes(), "") << c.event;
    ASSERT_EQ(script.ClientTypes(), "error") << c.event;
    EXPECT_EQ(script.LastToClient("error.code"), c.code) << c.event;
  }
}

TEST(Truncate, FallsBackToTheSnapshotForItemsLongPast) {
  Script script;
  script.Start();
  script.Speak("r1", "a1", 48'000);
  script.ItemDone(AssistantItem("a1", "one two three four"));
  script.Done("r1");
  for (int i = 0; i < 300; ++i) {
    script.Audio("r2", fmt::format("n{}", i), "xx");
  }
  script.Forget();
  script.Client(Truncate("a1", 1000));
  EXPECT_EQ(script.LastSent("audio_end_ms"), "1000");
}

TEST(Snapshot, CoversTheEventThatChangedIt) {
  Script script;
  script.Start();
  script.Added("null", UserItem("u"));
  const auto deltas = script.All<PublishSnapshotDelta>();
  ASSERT_EQ(deltas.size(), 1U);
  EXPECT_EQ(deltas[0].delta.covers_seq(), script.All<SendClientEvent>()[0].event.seq());
  EXPECT_EQ(deltas[0].delta.version(), 2U);
}

TEST(Snapshot, StaysWithinItsLimitInALongConversation) {
  Script script;
  script.Start();
  const std::string text(50'000, 'x');
  for (int i = 0; i < 50; ++i) {
    const std::string previous = i == 0 ? "null" : fmt::format("\"m{}\"", i - 1);
    script.Added(previous, fmt::format(R"({{"id":"m{}","type":"message","role":"user","content":[)"
                                       R"({{"type":"input_text","text":"{}"}}]}})",
                                       i, text));
    EXPECT_LE(script.conversation().snapshot().ByteSizeLong(), limits::kSnapshotMax);
  }
  EXPECT_GT(script.conversation().snapshot().items_condensed(), 20U);
  EXPECT_TRUE(script.copy_is_complete());
  EXPECT_EQ(script.copy().SerializeAsString(),
            script.conversation().snapshot().SerializeAsString());
}

}  // namespace
}  // namespace voicebridge::worker
