#include "gateway/client/origin.h"

#include <gtest/gtest.h>

namespace voicebridge::gateway {
namespace {

TEST(Origin, IsOurPageIfItIsWhatTheBrowserAskedFor) {
  EXPECT_TRUE(IsOwnPage("http://127.0.0.1:8080", "127.0.0.1:8080", true));
  EXPECT_TRUE(IsOwnPage("http://localhost:8080", "localhost:8080", true));
  EXPECT_TRUE(IsOwnPage("http://[::1]:8080", "[::1]:8080", true));
  EXPECT_TRUE(IsOwnPage("https://voice.example", "voice.example", false));
  EXPECT_TRUE(IsOwnPage("https://voice.example", "Voice.Example:443", false));
  EXPECT_TRUE(IsOwnPage("http://voice.example:80", "voice.example", false));
}

TEST(Origin, IsForeignIfHostOrPortDiffer) {
  EXPECT_FALSE(IsOwnPage("http://evil.example", "127.0.0.1:8080", true));
  EXPECT_FALSE(IsOwnPage("http://127.0.0.1:9999", "127.0.0.1:8080", true));
  EXPECT_FALSE(IsOwnPage("http://127.0.0.1", "127.0.0.1:8080", true));
  EXPECT_FALSE(IsOwnPage("http://localhost:8080", "127.0.0.1:8080", true));
  EXPECT_FALSE(IsOwnPage("https://evil.example", "voice.example", false));
  EXPECT_FALSE(IsOwnPage("https://voice.example.evil.example", "voice.example", false));
}

TEST(Origin, IsForeignIfAForeignNameLeadsToLoopback) {
  EXPECT_FALSE(IsOwnPage("http://rebound.example:8080", "rebound.example:8080", true));
  EXPECT_FALSE(IsOwnPage("http://127.0.0.1.example:8080", "127.0.0.1.example:8080", true));
}

TEST(Origin, IsForeignIfItIsNone) {
  EXPECT_FALSE(IsOwnPage("null", "127.0.0.1:8080", true));
  EXPECT_FALSE(IsOwnPage("", "127.0.0.1:8080", true));
  EXPECT_FALSE(IsOwnPage("http://127.0.0.1:8080", "", true));
  EXPECT_FALSE(IsOwnPage("chrome-extension://abcdef", "127.0.0.1:8080", true));
}

}  // namespace
}  // namespace voicebridge::gateway
