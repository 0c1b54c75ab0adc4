#include "common/config/file_watch.h"

#include <gtest/gtest.h>

namespace voicebridge {
namespace {

TEST(FileWatch, TakesNothingWhileNothingChanges) {
  FileWatch watch("old");
  EXPECT_FALSE(watch.OnLook("old"));
  EXPECT_FALSE(watch.OnLook("old"));
}

TEST(FileWatch, TakesWhatIsNewOnceItHasSettled) {
  FileWatch watch("old");
  EXPECT_FALSE(watch.OnLook("half"));
  EXPECT_FALSE(watch.OnLook("new"));
  EXPECT_TRUE(watch.OnLook("new"));
  EXPECT_FALSE(watch.OnLook("new")) << "it is in force";
}

TEST(FileWatch, DoesNotTryTheSameTwice) {
  FileWatch watch("old");
  watch.OnLook("bad");
  EXPECT_TRUE(watch.OnLook("bad"));
  EXPECT_FALSE(watch.OnLook("bad"));
  EXPECT_FALSE(watch.OnLook("bad"));
}

TEST(FileWatch, TakesWhatWasThereBeforeAgain) {
  FileWatch watch("old");
  watch.OnLook("bad");
  watch.OnLook("bad");
  EXPECT_FALSE(watch.OnLook("old"));
  EXPECT_TRUE(watch.OnLook("old"));
}

TEST(FileWatch, IsNotMovedByAChangeThatWasTakenBack) {
  FileWatch watch("old");
  EXPECT_FALSE(watch.OnLook("new"));
  EXPECT_FALSE(watch.OnLook("old"));
  EXPECT_FALSE(watch.OnLook("old"));
}

}  // namespace
}  // namespace voicebridge
