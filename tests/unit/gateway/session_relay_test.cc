#include "gateway/relay/session_relay.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <optional>
#include <string>
#include <vector>

#include "common/core/audio.h"
#include "common/core/base64.h"
#include "common/json/json.h"

namespace voicebridge::gateway {
namespace {

using testing::HasSubstr;

class SessionRelayTest : public testing::Test {
 protected:
  SessionRelayTest() : relay_(Config()) { relay_.Handle(SessionStarted{}, effects_); }

  static RelayConfig Config() {
    RelayConfig config;
    config.session_id = "sess_1";
    config.profile = "assistant";
    config.access_token = "token";
    config.session_max = seconds(90);
    return config;
  }

  void Handle(RelayEvent event) {
    effects_.clear();
    relay_.Handle(std::move(event), effects_);
  }

  void FromWorker(v1::ToGateway frame, std::uint64_t epoch = 1) {
    Handle(WorkerFrame{epoch, frame});
  }

  void BecomeReady() {
    v1::ToGateway frame;
    frame.mutable_ready()->set_session_json(R"({"type":"realtime"})");
    FromWorker(frame, relay_.epoch());
  }

  // One delta of an item's audio, which the relay may pass on.
  void AudioFromWorker(const std::string& response_id, const std::string& item_id,
                       std::size_t samples) {
    v1::ToGateway frame;
    frame.mutable_audio()->set_response_id(response_id);
    frame.mutable_audio()->set_item_id(item_id);
    frame.mutable_audio()->set_pcm(std::string(samples * kBytesPerSample, 'x'));
    FromWorker(frame);
  }

  template <class Effect>
  const Effect* Find() const {
    for (const RelayEffect& effect : effects_) {
      if (const auto* found = std::get_if<Effect>(&effect)) {
        return found;
      }
    }
    return nullptr;
  }

  // The types of the events that the browser is sent, in order.
  std::vector<std::string> ClientEventTypes() const {
    std::vector<std::string> types;
    for (const RelayEffect& effect : effects_) {
      if (const auto* event = std::get_if<SendClientEvent>(&effect)) {
        types.emplace_back(StringOr(*ParseObject(event->json), "type"));
      }
    }
    return types;
  }

  std::string LastClientEvent() const {
    std::string json;
    for (const RelayEffect& effect : effects_) {
      if (const auto* event = std::get_if<SendClientEvent>(&effect)) {
        json = event->json;
      }
    }
    return json;
  }

  void ExpectEnd(EndReason reason) const {
    ASSERT_NE(Find<EndSession>(), nullptr);
    EXPECT_EQ(Find<EndSession>()->reason, reason);
    EXPECT_TRUE(relay_.ended());
  }

  RelayEffects effects_;
  SessionRelay relay_;
};

std::string AppendEvent(const std::string& pcm) {
  std::string event = R"({"type":"input_audio_buffer.append","audio":")";
  AppendBase64(pcm, event);
  return event + "\"}";
}

TEST_F(SessionRelayTest, EndsAsInternalWhenOneOfItsTasksHasFailed) {
  Handle(TaskFailed{});
  EXPECT_TRUE(relay_.ended());
  ASSERT_NE(Find<EndSession>(), nullptr);
  EXPECT_EQ(Find<EndSession>()->reason, v1::END_REASON_INTERNAL);
}

TEST_F(SessionRelayTest, AsksForAWorkerWithTheFirstEpoch) {
  ASSERT_NE(Find<AttachWorker>(), nullptr);
  EXPECT_EQ(Find<AttachWorker>()->attach.epoch(), 1U);
  EXPECT_EQ(Find<AttachWorker>()->attach.session_id(), "sess_1");
  EXPECT_EQ(Find<AttachWorker>()->attach.profile(), "assistant");
}

TEST_F(SessionRelayTest, TellsTheClientOfItsSessionOnceTheWorkerIsReady) {
  BecomeReady();
  EXPECT_EQ(ClientEventTypes(),
            (std::vector<std::string>{"session.created", "voicebridge.session.ready"}));
  EXPECT_NE(Find<OpenWorkerQueue>(), nullptr);
  EXPECT_THAT(LastClientEvent(), HasSubstr("token"));
}

TEST_F(SessionRelayTest, TriesAnotherWorkerWithAHigherEpochWhileNoneWasReady) {
  Handle(WorkerLost{1, absl::ResourceExhaustedError("full")});
  ASSERT_NE(Find<AttachWorker>(), nullptr);
  EXPECT_EQ(Find<AttachWorker>()->attach.epoch(), 2U);
  Handle(NoWorkerLeft{});
  EXPECT_EQ(ClientEventTypes(), (std::vector<std::string>{"error", "voicebridge.session.ended"}));
  ExpectEnd(v1::END_REASON_NO_WORKER);
}

TEST_F(SessionRelayTest, TriesTheNextWorkerWhateverKeptTheLastFromIt) {
  const std::vector<absl::Status> failures = {
      absl::ResourceExhaustedError("full"), absl::UnavailableError("draining"),
      absl::AbortedError("superseded"), absl::CancelledError("the call was given up"),
      absl::DeadlineExceededError("the worker did not answer in time")};
  std::uint64_t epoch = relay_.epoch();
  for (const absl::Status& failure : failures) {
    Handle(WorkerLost{epoch, failure});
    ASSERT_NE(Find<AttachWorker>(), nullptr) << failure;
    EXPECT_EQ(Find<AttachWorker>()->attach.epoch(), ++epoch);
    EXPECT_TRUE(ClientEventTypes().empty()) << failure;
  }
}

TEST_F(SessionRelayTest, WaitsForAWorkerThatHasAnsweredTheAttach) {
  v1::ToGateway frame;
  frame.mutable_attaching()->set_epoch(1);
  FromWorker(frame);
  EXPECT_NE(Find<AwaitReady>(), nullptr);
  EXPECT_TRUE(ClientEventTypes().empty());
  BecomeReady();
  FromWorker(frame);
  EXPECT_TRUE(effects_.empty());
}

TEST_F(SessionRelayTest, BeginsElsewhereWhenTheWorkerIsDrainedBeforeItIsReady) {
  v1::ToGateway frame;
  frame.mutable_go_away()->mutable_time_left()->set_seconds(3);
  FromWorker(frame, 1);
  ASSERT_NE(Find<AttachWorker>(), nullptr);
  EXPECT_EQ(Find<AttachWorker>()->attach.epoch(), 2U);
  frame.mutable_ended()->set_reason(v1::END_REASON_DRAINING);
  FromWorker(frame, 1);
  EXPECT_TRUE(effects_.empty()) << "the first worker is no longer listened to";
  FromWorker(frame, 2);
  ASSERT_NE(Find<AttachWorker>(), nullptr);
  EXPECT_EQ(Find<AttachWorker>()->attach.epoch(), 3U);
  EXPECT_TRUE(ClientEventTypes().empty()) << "the client is not told of what it need not know";
}

TEST_F(SessionRelayTest, SaysThatItWasDrainedWhenNobodyElseTakesIt) {
  v1::ToGateway frame;
  frame.mutable_go_away()->mutable_time_left()->set_seconds(3);
  FromWorker(frame);
  Handle(WorkerLost{2, absl::ResourceExhaustedError("full")});
  Handle(NoWorkerLeft{});
  EXPECT_EQ(ClientEventTypes(), (std::vector<std::string>{"voicebridge.session.draining",
                                                          "voicebridge.session.ended"}));
  ExpectEnd(v1::END_REASON_DRAINING);
}

TEST_F(SessionRelayTest, TellsTheClientOfADrainOfItsWorker) {
  BecomeReady();
  v1::ToGateway frame;
  frame.mutable_go_away()->mutable_time_left()->set_seconds(3);
  FromWorker(frame);
  EXPECT_EQ(ClientEventTypes(), (std::vector<std::string>{"voicebridge.session.draining"}));
  EXPECT_EQ(Find<AttachWorker>(), nullptr);
  frame.mutable_ended()->set_reason(v1::END_REASON_DRAINING);
  FromWorker(frame);
  EXPECT_EQ(ClientEventTypes(), (std::vector<std::string>{"voicebridge.session.ended"}));
  ExpectEnd(v1::END_REASON_DRAINING);
}

TEST_F(SessionRelayTest, DoesNotTryOthersWhenTheAttachItselfIsWrong) {
  Handle(WorkerLost{1, absl::NotFoundError("There is no profile named \"x\".")});
  EXPECT_EQ(Find<AttachWorker>(), nullptr);
  EXPECT_THAT(LastClientEvent(), HasSubstr("no profile named"));
  ExpectEnd(v1::END_REASON_POLICY);
}

TEST_F(SessionRelayTest, DropsFramesOfAnOlderEpoch) {
  Handle(WorkerLost{1, absl::UnavailableError("gone")});
  v1::ToGateway frame;
  frame.mutable_ready()->set_session_json("{}");
  FromWorker(frame, 1);
  EXPECT_TRUE(effects_.empty());
  EXPECT_EQ(relay_.stale_frames(), 1U);
  EXPECT_FALSE(relay_.ready());
}

TEST_F(SessionRelayTest, NumbersUserAudioBySamplesOfTheSession) {
  BecomeReady();
  Handle(ClientText{AppendEvent("abcd")});
  EXPECT_EQ(Find<SendWorker>()->frame.audio().first_sample(), 0U);
  Handle(ClientText{AppendEvent("ef")});
  EXPECT_EQ(Find<SendWorker>()->frame.audio().first_sample(), 2U);
  EXPECT_EQ(Find<SendWorker>()->frame.audio().pcm(), "ef");
}

TEST_F(SessionRelayTest, ForwardsEventsUnchangedWithTheirTypeBeside) {
  BecomeReady();
  const std::string json = R"({ "type" : "some.future.event", "x":[1, 2] })";
  Handle(ClientText{json});
  EXPECT_EQ(Find<SendWorker>()->frame.client_event().type(), "some.future.event");
  EXPECT_EQ(Find<SendWorker>()->frame.client_event().json(), json);
}

TEST_F(SessionRelayTest, AnswersBadInputAndGoesOn) {
  BecomeReady();
  for (const std::string_view bad : {"{", "[]", "{}", R"({"type":7})"}) {
    Handle(ClientText{bad});
    EXPECT_EQ(ClientEventTypes(), std::vector<std::string>{"error"}) << bad;
    EXPECT_EQ(Find<SendWorker>(), nullptr) << bad;
  }
  Handle(ClientBinary{});
  EXPECT_EQ(ClientEventTypes(), std::vector<std::string>{"error"});
  EXPECT_FALSE(relay_.ended());
}

TEST(SessionRelay, TakesAudioAsBinaryMessagesWhereTheClientChoseThem) {
  RelayConfig config;
  config.audio_framing = AudioFraming::kBinary;
  SessionRelay relay(config);
  RelayEffects effects;
  relay.Handle(SessionStarted{}, effects);
  effects.clear();
  relay.Handle(ClientBinary{std::string_view("\1\0\4\0abcd", 8)}, effects);
  relay.Handle(ClientBinary{std::string_view("\1\0\4\0efgh", 8)}, effects);
  ASSERT_EQ(effects.size(), 2U);
  const v1::ClientAudio& second = std::get<SendWorker>(effects[1]).frame.audio();
  EXPECT_EQ(second.pcm(), "efgh");
  EXPECT_EQ(second.first_sample(), 2U);
}

TEST_F(SessionRelayTest, ClampsATruncateToWhatTheSocketWasGiven) {
  BecomeReady();
  AudioFromWorker("resp_1", "item_1", SamplesOfMilliseconds(1000));
  Handle(AudioDelivered{"item_1", SamplesOfMilliseconds(400)});
  Handle(ClientText{R"({"type":"conversation.item.truncate","item_id":"item_1",)"
                    R"("content_index":0,"audio_end_ms":900})"});
  EXPECT_EQ(Find<DropQueuedAudio>()->response_id, "resp_1");
  const auto sent = ParseObject(Find<SendWorker>()->frame.client_event().json());
  EXPECT_EQ(FindInteger(*sent, "audio_end_ms"), 400);
}

TEST_F(SessionRelayTest, LeavesATruncateWithinWhatWasGivenAlone) {
  BecomeReady();
  AudioFromWorker("resp_1", "item_1", SamplesOfMilliseconds(1000));
  Handle(AudioDelivered{"item_1", SamplesOfMilliseconds(1000)});
  const std::string json = R"({"type":"conversation.item.truncate","item_id":"item_1",)"
                           R"("content_index":0,"audio_end_ms":900})";
  Handle(ClientText{json});
  EXPECT_EQ(Find<SendWorker>()->frame.client_event().json(), json);
}

TEST_F(SessionRelayTest, SilencesAResponseThatTheUserSpokeOver) {
  BecomeReady();
  AudioFromWorker("resp_1", "item_1", 24);
  EXPECT_NE(Find<SendClientAudio>(), nullptr);
  v1::ToGateway frame;
  frame.mutable_event()->set_type("input_audio_buffer.speech_started");
  frame.mutable_event()->set_json(R"({"type":"input_audio_buffer.speech_started"})");
  frame.mutable_event()->set_drops_audio_of_response_id("resp_1");
  FromWorker(frame);
  EXPECT_EQ(Find<DropQueuedAudio>()->response_id, "resp_1");
  AudioFromWorker("resp_1", "item_1", 24);
  EXPECT_EQ(Find<SendClientAudio>(), nullptr);
  AudioFromWorker("resp_2", "item_2", 24);
  EXPECT_NE(Find<SendClientAudio>(), nullptr);
}

TEST_F(SessionRelayTest, ACancelWithoutAnIdSilencesTheResponseThatIsHeard) {
  BecomeReady();
  AudioFromWorker("resp_1", "item_1", 24);
  AudioFromWorker("resp_2", "item_2", 24);
  Handle(ClientText{R"({"type":"response.cancel"})"});
  EXPECT_EQ(Find<DropQueuedAudio>()->response_id, "resp_2");
  EXPECT_NE(Find<SendWorker>(), nullptr);
}

TEST_F(SessionRelayTest, KeepsTheSnapshotUpToDate) {
  BecomeReady();
  v1::ToGateway frame;
  frame.mutable_snapshot_delta()->set_version(1);
  frame.mutable_snapshot_delta()->add_upserted_items()->mutable_item()->set_id("item_1");
  FromWorker(frame);
  ASSERT_EQ(relay_.snapshot().items_size(), 1);
  frame.mutable_snapshot_delta()->set_version(3);  // 2 was missed.
  FromWorker(frame);
  EXPECT_EQ(relay_.snapshot().version(), 1U);
  EXPECT_EQ(relay_.stale_frames(), 1U);
}

TEST_F(SessionRelayTest, SaysThatTheWorkerIsGone) {
  BecomeReady();
  Handle(WorkerLost{1, absl::UnavailableError("connection reset")});
  EXPECT_EQ(ClientEventTypes(), (std::vector<std::string>{"error", "voicebridge.session.ended"}));
  EXPECT_THAT(LastClientEvent(), HasSubstr(R"("reason":"worker_lost")"));
  EXPECT_THAT(LastClientEvent(), HasSubstr(R"("resumable":false)"));
  ExpectEnd(v1::END_REASON_WORKER_LOST);
}

TEST_F(SessionRelayTest, PassesTheWorkersReasonOn) {
  BecomeReady();
  v1::ToGateway frame;
  frame.mutable_ended()->set_reason(v1::END_REASON_UPSTREAM_LOST);
  frame.mutable_ended()->set_message("The Realtime API closed the connection.");
  FromWorker(frame);
  EXPECT_THAT(LastClientEvent(), HasSubstr("upstream_lost"));
  ExpectEnd(v1::END_REASON_UPSTREAM_LOST);
}

TEST_F(SessionRelayTest, EndsWhenTheTimeOfItsClientSecretIsOver) {
  BecomeReady();
  EXPECT_EQ(relay_.session_max(), seconds(90));
  Handle(SessionTimeOver{});
  EXPECT_EQ(ClientEventTypes(), (std::vector<std::string>{"error", "voicebridge.session.ended"}));
  EXPECT_THAT(LastClientEvent(), HasSubstr(R"("reason":"session_limit")"));
  EXPECT_THAT(LastClientEvent(), HasSubstr("90 s"));
  ASSERT_NE(Find<EndSession>(), nullptr);
  EXPECT_EQ(Find<EndSession>()->reason, v1::END_REASON_SESSION_LIMIT);
}

TEST_F(SessionRelayTest, AnnouncesADrainBeforeItEnds) {
  BecomeReady();
  Handle(EndRequested{v1::END_REASON_DRAINING, seconds(2)});
  EXPECT_EQ(ClientEventTypes(), (std::vector<std::string>{"voicebridge.session.draining",
                                                          "voicebridge.session.ended"}));
  ExpectEnd(v1::END_REASON_DRAINING);
}

TEST_F(SessionRelayTest, TellsTheClientThatAnOperatorEndedIt) {
  BecomeReady();
  Handle(EndRequested{v1::END_REASON_ENDED_BY_OPERATOR, seconds(2)});
  EXPECT_EQ(ClientEventTypes(), (std::vector<std::string>{"voicebridge.session.ended"}));
  EXPECT_THAT(LastClientEvent(), HasSubstr("An operator ended the session."));
  ExpectEnd(v1::END_REASON_ENDED_BY_OPERATOR);
}

TEST_F(SessionRelayTest, TellsAProtocolErrorFromALossAndFromAGoodbye) {
  for (const auto& [code, reason] :
       std::vector<std::pair<std::uint16_t, EndReason>>{{1000, v1::END_REASON_CLIENT_CLOSED},
                                                        {1005, v1::END_REASON_CLIENT_CLOSED},
                                                        {1006, v1::END_REASON_CLIENT_LOST},
                                                        {1009, v1::END_REASON_PROTOCOL_ERROR}}) {
    SessionRelay relay(Config());
    RelayEffects effects;
    relay.Handle(ClientClosed{code}, effects);
    EXPECT_EQ(std::get<EndSession>(effects.back()).reason, reason) << code;
  }
}

TEST_F(SessionRelayTest, IgnoresWhateverComesAfterTheEnd) {
  Handle(ClientClosed{1000});
  BecomeReady();
  EXPECT_TRUE(effects_.empty());
  Handle(NoWorkerLeft{});
  EXPECT_TRUE(effects_.empty());
}

}  // namespace
}  // namespace voicebridge::gateway
