#include "bridge_worker/conversation/voice_policy.h"

#include <gtest/gtest.h>

#include <string>

namespace voicebridge::worker {
namespace {

TEST(VoicePolicy, FollowsItsTruthTable) {
  struct Case {
    VoiceSituation situation;
    VoiceDecision decision;
  };
  const Case cases[] = {
      {{false, false, false}, VoiceDecision::kSend},
      {{false, false, true}, VoiceDecision::kAskOnly},
      {{false, true, false}, VoiceDecision::kAskOnly},
      {{false, true, true}, VoiceDecision::kAskOnly},
      {{true, false, false}, VoiceDecision::kDrop},
      {{true, false, true}, VoiceDecision::kDrop},
      {{true, true, false}, VoiceDecision::kDrop},
      {{true, true, true}, VoiceDecision::kDrop},
  };
  for (const Case& c : cases) {
    EXPECT_EQ(DecideVoice(c.situation), c.decision)
        << c.situation.same_as_current << c.situation.assistant_audio_heard
        << c.situation.response_in_progress;
  }
}

TEST(VoicePolicy, AddsTheWishOnceHoweverOftenItIsRepeated) {
  const std::string once = WithVoiceWish("Be brief.", "cedar");
  EXPECT_TRUE(once.starts_with("Be brief.\n\n")) << once;
  EXPECT_NE(once.find("'cedar'"), std::string::npos) << once;
  EXPECT_EQ(WithVoiceWish(once, "cedar"), once);
  EXPECT_EQ(WithVoiceWish(WithVoiceWish(once, "ash"), "cedar"), once);
  EXPECT_EQ(WithoutVoiceWish(once), "Be brief.");
  EXPECT_EQ(WithoutVoiceWish("Be brief."), "Be brief.");
}

}  // namespace
}  // namespace voicebridge::worker
