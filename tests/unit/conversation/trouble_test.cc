// What the operator is told of while a session goes on.
#include <gtest/gtest.h>

#include <string>

#include "tests/unit/conversation/script.h"

namespace voicebridge::worker {
namespace {

std::string TroubleAfter(Script& script, std::string_view upstream) {
  script.Forget();
  script.Upstream(upstream);
  std::string said;
  for (const ReportTrouble& trouble : script.All<ReportTrouble>()) {
    said += std::string(trouble.event) + " " + trouble.reason;
  }
  return said;
}

std::string Done(std::string_view status, std::string_view details) {
  return fmt::format(
      R"({{"type":"response.done","response":{{"id":"r1","status":"{}","status_details":{},)"
      R"("output":[]}}}})",
      status, details);
}

TEST(Trouble, IsAFailedOrIncompleteResponse) {
  Script script;
  script.Start();
  EXPECT_EQ(TroubleAfter(script, Done("failed", R"({"type":"failed","error":{"type":"tokens",
                                      "code":"rate_limit_exceeded","message":"org-secret"}})")),
            "response.failed rate_limit_exceeded");
  EXPECT_EQ(
      TroubleAfter(script, Done("failed", R"({"error":{"type":"server_error","code":null}})")),
      "response.failed server_error");
  EXPECT_EQ(TroubleAfter(script, Done("failed", "null")), "response.failed unnamed");
  EXPECT_EQ(TroubleAfter(script, Done("failed", R"({"error":{"code":"Text of \n a peer"}})")),
            "response.failed unnamed");
  EXPECT_EQ(TroubleAfter(script, Done("incomplete", R"({"reason":"content_filter"})")),
            "response.incomplete content_filter");
}

TEST(Trouble, IsNotACompletedOrCancelledResponse) {
  Script script;
  script.Start();
  EXPECT_EQ(TroubleAfter(script, Done("completed", "null")), "");
  EXPECT_EQ(TroubleAfter(script, Done("cancelled", R"({"reason":"client_cancelled"})")), "");
}

TEST(Trouble, IsATranscriptionThatFailed) {
  Script script;
  script.Start();
  EXPECT_EQ(TroubleAfter(script,
                         R"({"type":"conversation.item.input_audio_transcription.failed",
                             "item_id":"u1","error":{"code":"audio_unintelligible"}})"),
            "transcription.failed audio_unintelligible");
}

TEST(Trouble, IsAResponseThatDoesNotStart) {
  Script script;
  script.Start();
  script.Client(R"({"type":"response.create"})");
  script.Wait(seconds(11));
  ASSERT_EQ(script.All<ReportTrouble>().size(), 1U);
  EXPECT_EQ(script.All<ReportTrouble>()[0].event, "response.late");
}

std::string TroubleOfVoice(Script& script) {
  script.Forget();
  script.Client(R"({"type":"session.update","event_id":"v",)"
                R"("session":{"type":"realtime","audio":{"output":{"voice":"ash"}}}})");
  const auto troubles = script.All<ReportTrouble>();
  return troubles.empty() ? "" : std::string(troubles[0].event) + " " + troubles[0].reason;
}

TEST(Trouble, IsAVoiceThatMayNotBeChanged) {
  Script requested;
  requested.Start();
  requested.Client(R"({"type":"response.create"})");
  EXPECT_EQ(TroubleOfVoice(requested), "voice.not_changed response_in_progress");

  Script heard;
  heard.Start();
  heard.Speak("r1", "i1", 100);
  heard.Done("r1");
  EXPECT_EQ(TroubleOfVoice(heard), "voice.not_changed assistant_audio_heard");

  Script refused;
  refused.Start();
  EXPECT_EQ(TroubleOfVoice(refused), "");
  refused.Fails("v", "cannot_update_voice");
  ASSERT_EQ(refused.All<ReportTrouble>().size(), 1U);
  EXPECT_EQ(refused.All<ReportTrouble>()[0].reason, "refused");
}

}  // namespace
}  // namespace voicebridge::worker
