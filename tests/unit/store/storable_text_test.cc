#include "bridge_worker/store/storable_text.h"

#include <gtest/gtest.h>

namespace voicebridge::worker {
namespace {

TEST(StorableText, LeavesTextAsItIs) {
  EXPECT_EQ(StorableText(""), "");
  EXPECT_EQ(StorableText("plain\n\t\"text\""), "plain\n\t\"text\"");
  EXPECT_EQ(StorableText("é 안녕 🙂"), "é 안녕 🙂");
}

TEST(StorableText, ReplacesEachByteThatNoTextColumnTakes) {
  EXPECT_EQ(StorableText(std::string_view("a\0b", 3)), "a\uFFFDb");
  EXPECT_EQ(StorableText("a\xFF"), "a\uFFFD");
  EXPECT_EQ(StorableText("\xC0\xAF"), "\uFFFD\uFFFD");            // Overlong.
  EXPECT_EQ(StorableText("\xED\xA0\x80"), "\uFFFD\uFFFD\uFFFD");  // A surrogate.
  EXPECT_EQ(StorableText("\xEC\x95"), "\uFFFD\uFFFD");            // Cut off.
}

}  // namespace
}  // namespace voicebridge::worker
