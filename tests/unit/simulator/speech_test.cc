#include "tests/simulator/speech.h"

#include <gtest/gtest.h>

#include <string>

namespace voicebridge::simulator {
namespace {

TEST(Speech, HasASoundForEveryVoiceAndBothLanguages) {
  for (const char* voice : {"alloy", "ash", "ballad", "coral", "echo", "sage", "shimmer", "verse",
                            "marin", "cedar", "voice_of_their_own"}) {
    EXPECT_GT(Synthesize("You did well.", voice).size(), 24'000U) << voice;
    EXPECT_GT(Synthesize("안녕하세요, 반갑습니다.", voice).size(), 24'000U) << voice;
  }
}

}  // namespace
}  // namespace voicebridge::simulator
