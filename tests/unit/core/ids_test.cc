#include "common/core/ids.h"

#include <gmock/gmock.h>

#include <set>
#include <string>

namespace voicebridge {
namespace {

TEST(NewId, HasTheShapeThatOpenAIUses) {
  EXPECT_THAT(NewId("sess"), testing::MatchesRegex("sess_[0-9A-Za-z]{21}"));
}

TEST(NewId, NeverRepeats) {
  std::set<std::string> ids;
  for (int i = 0; i < 20'000; ++i) {
    ids.insert(NewId("item"));
  }
  EXPECT_EQ(ids.size(), 20'000U);
}

// 420,000 characters over 62 values: 6774 each on average, standard deviation 82.
TEST(NewId, UsesEveryCharacterEquallyOften) {
  std::array<int, 256> counts{};
  for (int i = 0; i < 20'000; ++i) {
    for (const char character : NewId("x").substr(2)) {
      ++counts[static_cast<unsigned char>(character)];
    }
  }
  int used = 0;
  for (const int count : counts) {
    if (count > 0) {
      ++used;
      EXPECT_NEAR(count, 6774, 700);
    }
  }
  EXPECT_EQ(used, 62);
}

}  // namespace
}  // namespace voicebridge
