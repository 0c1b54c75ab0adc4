// A conversation's beginning, its limits and its end.
#include <gtest/gtest.h>

#include <string>

#include "tests/unit/conversation/script.h"

namespace voicebridge::worker {
namespace {

TEST(ConversationStart, ConfiguresTheUpstreamAndBecomesReady) {
  Script script;
  EXPECT_TRUE(script.effects().empty());
  script.Upstream(R"({"type":"session.created","session":{"id":"sess_1"}})");
  ASSERT_EQ(script.SentTypes(), "session.update");
  EXPECT_EQ(script.LastSent("session.type"), "realtime");
  EXPECT_EQ(script.LastSent("event_id"), "vb_1");
  script.Upstream(R"({"type":"session.created","session":{"id":"again"}})");
  EXPECT_EQ(script.Sent().size(), 1U);
  script.Upstream(R"({"type":"session.updated","session":)" + SessionJson() + "}");
  ASSERT_EQ(script.All<BecomeReady>().size(), 1U);
  EXPECT_EQ(Script::Member(script.All<BecomeReady>()[0].session_json, "id"), "sess_1");
  EXPECT_EQ(script.ClientTypes(), "");
  ASSERT_EQ(script.All<PublishSnapshotDelta>().size(), 1U);
  EXPECT_EQ(Script::Member(script.copy().settings().session_json(), "id"), "absent");
  EXPECT_EQ(Script::Member(script.copy().settings().session_json(), "instructions"), "Be kind.");
}

TEST(ConversationStart, TakesAClientSecretsDefaults) {
  Script script(TestProfile(), R"({"instructions":"Other."})");
  script.Upstream(R"({"type":"session.created"})");
  EXPECT_EQ(script.LastSent("session.instructions"), "Other.");
}

TEST(ConversationStart, IgnoresClientsUntilReady) {
  Script script;
  script.Client(R"({"type":"response.create"})");
  script.ClientAudio(2400);
  EXPECT_TRUE(script.effects().empty());
}

TEST(ConversationStart, TellsRefusalFromUnavailability) {
  struct Case {
    const char* code;
    EndReason reason;
  };
  const Case cases[] = {
      {"invalid_api_key", v1::END_REASON_UPSTREAM_REFUSED},
      {"missing_model", v1::END_REASON_UPSTREAM_REFUSED},
      {"invalid_model", v1::END_REASON_UPSTREAM_REFUSED},
      {"model_not_found", v1::END_REASON_UPSTREAM_REFUSED},
      {"insufficient_quota", v1::END_REASON_UPSTREAM_REFUSED},
      {"account_deactivated", v1::END_REASON_UPSTREAM_REFUSED},
      {"billing_hard_limit_reached", v1::END_REASON_UPSTREAM_REFUSED},
      {"beta_api_shape_disabled", v1::END_REASON_UPSTREAM_REFUSED},
      {"server_error", v1::END_REASON_UPSTREAM_UNAVAILABLE},
      {"", v1::END_REASON_UPSTREAM_UNAVAILABLE},
      {"Key sk-secret is wrong", v1::END_REASON_UPSTREAM_UNAVAILABLE},
  };
  for (const Case& c : cases) {
    Script script;
    script.Fails("", c.code);
    ASSERT_EQ(script.All<EndSession>().size(), 1U) << c.code;
    EXPECT_EQ(script.All<EndSession>()[0].reason, c.reason) << c.code;
    EXPECT_EQ(script.All<EndSession>()[0].message.find("sk-secret"), std::string::npos);
    EXPECT_TRUE(script.conversation().ended());
    EXPECT_FALSE(script.conversation().NextDeadline());
  }
}

TEST(ConversationStart, JudgesACloseByItsCode) {
  struct Case {
    std::uint16_t code;
    EndReason reason;
  };
  const Case cases[] = {
      {3000, v1::END_REASON_UPSTREAM_REFUSED},     {4000, v1::END_REASON_UPSTREAM_REFUSED},
      {4004, v1::END_REASON_UPSTREAM_REFUSED},     {4999, v1::END_REASON_UPSTREAM_REFUSED},
      {1008, v1::END_REASON_UPSTREAM_REFUSED},     {1000, v1::END_REASON_UPSTREAM_UNAVAILABLE},
      {1006, v1::END_REASON_UPSTREAM_UNAVAILABLE}, {1011, v1::END_REASON_UPSTREAM_UNAVAILABLE},
      {1013, v1::END_REASON_UPSTREAM_UNAVAILABLE}, {5000, v1::END_REASON_UPSTREAM_UNAVAILABLE},
  };
  for (const Case& c : cases) {
    Script script;
    script.UpstreamCloses(c.code);
    ASSERT_EQ(script.All<EndSession>().size(), 1U);
    EXPECT_EQ(script.All<EndSession>()[0].reason, c.reason) << c.code;
    EXPECT_EQ(script.All<EndSession>()[0].message.find("secret"), std::string::npos);
    EXPECT_NE(script.All<EndSession>()[0].message.find(std::to_string(c.code)), std::string::npos);
  }
}

TEST(ConversationStart, GivesUpWhenTheUpstreamDoesNotConfigureInTime) {
  Script script;
  ASSERT_EQ(script.conversation().NextDeadline(), script.now() + limits::kHandshakeMax);
  script.Wait(limits::kHandshakeMax);
  ASSERT_EQ(script.All<EndSession>().size(), 1U);
  EXPECT_EQ(script.All<EndSession>()[0].reason, v1::END_REASON_UPSTREAM_UNAVAILABLE);
}

TEST(ConversationEnd, LosesTheUpstream) {
  Script script;
  script.Start();
  script.UpstreamCloses(1006);
  ASSERT_EQ(script.All<EndSession>().size(), 1U);
  EXPECT_EQ(script.All<EndSession>()[0].reason, v1::END_REASON_UPSTREAM_LOST);
  script.Forget();
  script.Client(R"({"type":"response.create"})");
  script.UpstreamCloses(1006);
  script.Wait(hours(2));
  EXPECT_TRUE(script.effects().empty()) << "nothing comes after the end";
}

TEST(ConversationEnd, TellsARefusalFromALoss) {
  for (const std::uint16_t code :
       std::initializer_list<std::uint16_t>{1008, 3000, 4000, 4999, 1000, 1001, 1011, 1012}) {
    Script script;
    script.Start();
    script.UpstreamCloses(code);
    ASSERT_EQ(script.All<EndSession>().size(), 1U);
    const EndSession end = script.All<EndSession>()[0];
    const bool refused = code == 1008 || code >= 3000;
    EXPECT_EQ(end.reason, refused ? v1::END_REASON_UPSTREAM_REFUSED : v1::END_REASON_UPSTREAM_LOST)
        << code;
    EXPECT_EQ(end.message.find("secret"), std::string::npos);
  }
}

TEST(ConversationEnd, SaysThatTheUpstreamsSessionExpired) {
  Script script;
  script.Start();
  script.Fails("", "session_expired");
  EXPECT_EQ(script.ClientTypes(), "error");
  script.UpstreamCloses(1001);
  ASSERT_EQ(script.All<EndSession>().size(), 1U);
  EXPECT_EQ(script.All<EndSession>()[0].reason, v1::END_REASON_SESSION_LIMIT);
}

TEST(ConversationEnd, EndsAnIdleSession) {
  v1::Profile profile = TestProfile();
  profile.mutable_limits()->set_idle_seconds(60);
  Script script(profile);
  script.Start();
  script.Wait(seconds(59));
  script.ClientAudio(100);
  script.Wait(seconds(59));
  script.Client(R"({"type":"conversation.item.retrieve","item_id":"x"})");
  EXPECT_EQ(script.conversation().NextDeadline(), script.now() + seconds(60));
  script.Upstream(R"({"type":"rate_limits.updated"})");
  EXPECT_FALSE(script.conversation().ended());
  script.Wait(seconds(60));
  ASSERT_EQ(script.All<EndSession>().size(), 1U);
  EXPECT_EQ(script.All<EndSession>()[0].reason, v1::END_REASON_SESSION_LIMIT);
  EXPECT_NE(script.All<EndSession>()[0].message.find("60 s"), std::string::npos);
}

TEST(ConversationEnd, EndsALongSessionHoweverBusy) {
  v1::Profile profile = TestProfile();
  profile.mutable_limits()->set_session_seconds(100);
  Script script(profile);
  script.Start();
  script.Wait(seconds(99));
  script.Client(R"({"type":"input_audio_buffer.clear"})");
  EXPECT_EQ(script.conversation().NextDeadline(), script.now() + seconds(1));
  script.Wait(seconds(1));
  ASSERT_EQ(script.All<EndSession>().size(), 1U);
  EXPECT_EQ(script.All<EndSession>()[0].reason, v1::END_REASON_SESSION_LIMIT);
  EXPECT_NE(script.All<EndSession>()[0].message.find("100 s"), std::string::npos);
}

TEST(UpstreamEvents, SkipsAndCountsWhatIsMalformedAndPassesTheUnknown) {
  Script script;
  script.Start();
  for (const char* text : {"", "{", "[]", "{}", R"({"type":7})"}) {
    script.Upstream(text);
  }
  EXPECT_EQ(script.ClientTypes(), "");
  EXPECT_EQ(script.conversation().protocol_errors(), 5U);
  const std::string unknown = R"({ "type":"brand.new",  "x" : 1.0 })";
  script.Upstream(unknown);
  EXPECT_EQ(script.conversation().protocol_errors(), 6U);
  ASSERT_EQ(script.ClientTypes(), "brand.new");
  EXPECT_EQ(script.All<SendClientEvent>()[0].event.json(), unknown);
}

TEST(UpstreamEvents, SurviveEveryTypeWithoutItsFields) {
  Script script;
  script.Start();
  for (const char* type :
       {"error", "session.created", "session.updated", "conversation.item.added",
        "conversation.item.done", "conversation.item.deleted", "conversation.item.truncated",
        "conversation.item.input_audio_transcription.completed",
        "conversation.item.input_audio_transcription.failed", "input_audio_buffer.committed",
        "input_audio_buffer.speech_started", "input_audio_buffer.speech_stopped",
        "input_audio_buffer.timeout_triggered", "response.created", "response.done",
        "response.output_item.added", "response.output_item.done", "response.output_audio.delta",
        "response.output_audio_transcript.delta"}) {
    script.Upstream(fmt::format(R"({{"type":"{}"}})", type));
    script.Upstream(fmt::format(R"({{"type":"{}","item":7,"response":[],"session":"","error":null,)"
                                R"("item_id":{{}},"delta":3,"audio_end_ms":-1}})",
                                type));
  }
  EXPECT_FALSE(script.conversation().ended());
  EXPECT_TRUE(script.copy_is_complete());
  EXPECT_EQ(script.Order(), "");
}

}  // namespace
}  // namespace voicebridge::worker
