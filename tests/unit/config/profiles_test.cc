#include "common/config/profiles.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <string>

#include "common/core/status.h"

namespace voicebridge {
namespace {

using testing::HasSubstr;
using testing::Not;

constexpr std::string_view kGood = R"({
  "name": "assistant", "model": "gpt-realtime-2.1", "instructions": "Be kind.", "voice": "marin",
  "speed": 1.25,
  "turn_detection": {"type": "server_vad", "threshold": 0.4, "silence_duration_ms": 500},
  "transcription": {"model": "gpt-4o-mini-transcribe", "language": "en"},
  "locked_settings": ["instructions", "audio.output.voice"],
  "limits": {"session_seconds": 1800, "idle_seconds": 60}})";

std::string ProblemsOf(std::string_view json_text) {
  const auto profile = ParseProfile("profiles/assistant.json", json_text);
  return profile.ok() ? "" : Message(profile.status());
}

// The good profile with its first `from` replaced.
std::string With(std::string_view from, std::string_view to) {
  std::string text(kGood);
  const std::size_t at = text.find(from);
  EXPECT_NE(at, std::string::npos) << from;
  return text.replace(at, from.size(), to);
}

TEST(Profile, ReadsEveryField) {
  const auto profile = ParseProfile("assistant.json", kGood);
  ASSERT_TRUE(profile.ok()) << profile.status();
  EXPECT_EQ(profile->model(), "gpt-realtime-2.1");
  EXPECT_EQ(profile->speed(), 1.25);
  EXPECT_EQ(profile->turn_detection().type(), v1::TurnDetection::SERVER_VAD);
  EXPECT_EQ(profile->transcription().language(), "en");
  EXPECT_EQ(profile->locked_settings_size(), 2);
  EXPECT_EQ(profile->limits().idle_seconds(), 60U);
}

TEST(Profile, RefusesWhatItDoesNotKnow) {
  const std::string problems = ProblemsOf(With("\"speed\"", "\"sped\""));
  EXPECT_THAT(problems, HasSubstr("profiles/assistant.json"));
  EXPECT_THAT(problems, HasSubstr("sped"));
}

TEST(Profile, RefusesWhatIsNotJson) {
  EXPECT_THAT(ProblemsOf("{"), HasSubstr("profiles/assistant.json: "));
  EXPECT_THAT(ProblemsOf(With("\"server_vad\"", "\"manual\"")), HasSubstr("manual"));
}

TEST(Profile, NamesFileAndFieldOfEachProblem) {
  const struct {
    std::string text;
    std::string_view field;
  } cases[] = {
      {With("\"assistant\"", "\"other\""), "name: expected \"assistant\""},
      {With("gpt-realtime-2.1", ""), "model: "},
      {With("Be kind.", ""), "instructions: "},
      {With("marin", ""), "voice: "},
      {With("marin", "nova"), "voice: "},
      {With("marin", "voice_"), "voice: "},
      {With("1.25", "1.6"), "speed: "},
      {With("1.25", "0.1"), "speed: "},
      {With("1.25", "-1"), "speed: "},
      {With("1.25", "\"NaN\""), "speed: "},
      {With("0.4", "1.5"), "turn_detection.threshold: "},
      {With("500", "500000"), "turn_detection.silence_duration_ms: "},
      {With("\"type\": \"server_vad\",", ""), "turn_detection.type: "},
      {With("\"threshold\"", "\"eagerness\": \"low\", \"threshold\""),
       "turn_detection.eagerness: "},
      {With("server_vad", "semantic_vad"), "turn_detection.threshold: belongs to SERVER_VAD"},
      {With("gpt-4o-mini-transcribe", ""), "transcription.model: "},
      {With("\"en\"", "\"English\""), "transcription.language: "},
      {With("audio.output.voice", "voice"), "locked_settings[1]: "},
      {With("1800", "100000"), "limits.session_seconds: "},
      {With("60}", "100000}"), "limits.idle_seconds: "},
  };
  for (const auto& item : cases) {
    EXPECT_THAT(ProblemsOf(item.text),
                HasSubstr("profiles/assistant.json: " + std::string(item.field)));
  }
}

TEST(Profile, AcceptsCustomVoicesAndSemanticVad) {
  EXPECT_EQ(ProblemsOf(With("marin", "voice_abc")), "");
  EXPECT_EQ(ProblemsOf(With("\"server_vad\", \"threshold\": 0.4, \"silence_duration_ms\": 500",
                            "\"semantic_vad\", \"eagerness\": \"high\"")),
            "");
  EXPECT_THAT(ProblemsOf(With("\"server_vad\", \"threshold\": 0.4, \"silence_duration_ms\": 500",
                              "\"semantic_vad\", \"eagerness\": \"eager\"")),
              HasSubstr("turn_detection.eagerness: expected one of low"));
}

TEST(Profile, ReportsAllProblemsOfAFileTogether) {
  const std::string problems = ProblemsOf("{}");
  for (const char* field : {"name: ", "model: ", "instructions: ", "voice: "}) {
    EXPECT_THAT(problems, HasSubstr(field));
  }
  EXPECT_THAT(problems, Not(HasSubstr("turn_detection")));
}

class ProfileDirectory : public testing::Test {
 protected:
  ProfileDirectory() { std::filesystem::create_directories(path_); }
  ~ProfileDirectory() override { std::filesystem::remove_all(path_); }

  void Write(const std::string& name, std::string_view text) {
    std::ofstream(path_ + "/" + name) << text;
  }

  std::string path_ = testing::TempDir() + "profiles_test." + std::to_string(getpid());
};

TEST_F(ProfileDirectory, LoadsEachJsonFileByItsName) {
  Write("assistant.json", kGood);
  Write("interview.json", With("\"assistant\"", "\"interview\""));
  Write("README.md", "not a profile");
  const auto profiles = LoadProfiles(path_);
  ASSERT_TRUE(profiles.ok()) << profiles.status();
  EXPECT_EQ(profiles->size(), 2U);
  EXPECT_EQ(profiles->find("interview")->second.name(), "interview");
}

TEST_F(ProfileDirectory, ReportsTheProblemsOfAllFilesTogether) {
  Write("assistant.json", kGood);
  Write("one.json", "{}");
  Write("two.json", "[");
  const auto profiles = LoadProfiles(path_);
  ASSERT_FALSE(profiles.ok());
  EXPECT_THAT(Message(profiles.status()), HasSubstr("one.json: name: "));
  EXPECT_THAT(Message(profiles.status()), HasSubstr("two.json: "));
  EXPECT_THAT(Message(profiles.status()), Not(HasSubstr("assistant.json")));
}

TEST_F(ProfileDirectory, IsAnErrorWhenEmptyOrMissing) {
  EXPECT_THAT(Message(LoadProfiles(path_).status()), HasSubstr("at least one profile"));
  EXPECT_THAT(Message(LoadProfiles(path_ + "/none").status()), HasSubstr("cannot read"));
}

}  // namespace
}  // namespace voicebridge
