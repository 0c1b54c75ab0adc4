#include "common/config/flags.h"

#include <absl/flags/flag.h>
#include <absl/flags/reflection.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <cstdint>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

ABSL_FLAG(std::string, test_listen, "127.0.0.1:0", "Where to listen.");
ABSL_FLAG(std::uint32_t, test_shards, 1, "How many shards.");
ABSL_FLAG(bool, test_check, false, "Only check.");

namespace voicebridge {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::Not;

const std::vector<std::string> kKnown = {"test_listen", "test_shards", "test_check"};

// A flag file and the environment, undone at the end.
class Flags : public testing::Test {
 protected:
  ~Flags() override {
    for (const std::string& name : variables_) {
      unsetenv(name.c_str());
    }
    std::filesystem::remove(file_);
  }

  void SetVariable(const std::string& name, const std::string& value) {
    setenv(name.c_str(), value.c_str(), 1);
    variables_.push_back(name);
  }

  std::string WriteFile(const std::string& text) {
    std::ofstream(file_) << text;
    return file_;
  }

  // Parses as a program would; the output is kept for the checks.
  std::optional<int> Parse(std::vector<std::string> words) {
    words.insert(words.begin(), "/usr/bin/voicebridge-test");
    std::vector<char*> argv;
    for (std::string& word : words) {
      argv.push_back(word.data());
    }
    testing::internal::CaptureStdout();
    testing::internal::CaptureStderr();
    const auto code =
        ParseFlags(static_cast<int>(argv.size()), argv.data(), "Tests flags.", kKnown);
    output_ = testing::internal::GetCapturedStdout();
    errors_ = testing::internal::GetCapturedStderr();
    return code;
  }

  std::string output_;
  std::string errors_;

 private:
  absl::FlagSaver saver_;
  std::string file_ = testing::TempDir() + "flags_test." + std::to_string(getpid());
  std::vector<std::string> variables_;
};

TEST_F(Flags, OrderIsFileThenEnvironmentThenCommandLine) {
  const std::string file = WriteFile("# a comment\n\n  --test_listen=file:1  \n--test_check\n");
  EXPECT_THAT(OrderArguments({"--test_shards", "3", "--flagfile", file, "--notest_check"},
                             {"PATH=/bin", "VOICEBRIDGE_TEST_LISTEN=a=b:2"}, kKnown),
              ElementsAre("--test_listen=file:1", "--test_check", "--test_listen=a=b:2",
                          "--test_shards=3", "--notest_check"));
}

TEST_F(Flags, TheFlagFileOfTheCommandLineReplacesThatOfTheEnvironment) {
  const std::string file = WriteFile("--test_listen=file:1\n");
  EXPECT_THAT(OrderArguments({"--flagfile=" + file}, {"VOICEBRIDGE_FLAGFILE=/nowhere"}, kKnown),
              ElementsAre("--test_listen=file:1"));
  EXPECT_THAT(OrderArguments({}, {"VOICEBRIDGE_FLAGFILE=" + file}, kKnown),
              ElementsAre("--test_listen=file:1"));
}

TEST_F(Flags, AValueThatLooksLikeAFlagIsStillAValue) {
  EXPECT_THAT(OrderArguments({"--test_listen", "--flagfile=/nowhere"}, {}, kKnown),
              ElementsAre("--test_listen=--flagfile=/nowhere"));
}

TEST_F(Flags, TheCommandLineWinsOverEnvironmentOverFile) {
  SetVariable("VOICEBRIDGE_TEST_LISTEN", "environment:2");
  SetVariable("VOICEBRIDGE_TEST_SHARDS", "2");
  const std::string file = WriteFile("--test_listen=file:1\n--test_shards=1\n--test_check=true\n");
  EXPECT_EQ(Parse({"--test_listen=line:3", "--flagfile=" + file}), std::nullopt);
  EXPECT_EQ(absl::GetFlag(FLAGS_test_listen), "line:3");
  EXPECT_EQ(absl::GetFlag(FLAGS_test_shards), 2U);
  EXPECT_TRUE(absl::GetFlag(FLAGS_test_check));
}

TEST_F(Flags, ABooleanIsUnsetByItsNoFormAndByTheEnvironment) {
  SetVariable("VOICEBRIDGE_TEST_CHECK", "true");
  EXPECT_EQ(Parse({}), std::nullopt);
  EXPECT_TRUE(absl::GetFlag(FLAGS_test_check));
  EXPECT_EQ(Parse({"--notest_check"}), std::nullopt);
  EXPECT_FALSE(absl::GetFlag(FLAGS_test_check));
  SetVariable("VOICEBRIDGE_TEST_CHECK", "false");
  EXPECT_EQ(Parse({}), std::nullopt);
  EXPECT_FALSE(absl::GetFlag(FLAGS_test_check));
}

TEST_F(Flags, HelpAndVersionExitCleanly) {
  EXPECT_EQ(Parse({"--help", "--no_such_flag"}), 0);
  EXPECT_THAT(output_, HasSubstr("Tests flags."));
  EXPECT_THAT(output_, HasSubstr("--test_listen"));
  EXPECT_THAT(output_, HasSubstr("Where to listen. Default: \"127.0.0.1:0\""));
  EXPECT_EQ(Parse({"--version"}), 0);
  EXPECT_EQ(output_, "voicebridge-test " VOICEBRIDGE_VERSION "\n");
}

TEST_F(Flags, EverythingThatCannotBeParsedIsNamedAndExitsWithOne) {
  EXPECT_EQ(Parse({"--no_such_flag=1", "--test_shards=many", "stray", "--test_listen"}), 1);
  EXPECT_THAT(errors_, HasSubstr("--no_such_flag: unknown flag"));
  EXPECT_THAT(errors_, HasSubstr("--test_shards: Illegal value 'many'"));
  EXPECT_THAT(errors_, HasSubstr("unexpected word \"stray\""));
  EXPECT_THAT(errors_, HasSubstr("--test_listen: expected a value"));
}

TEST_F(Flags, AFlagOfALibraryIsNotOurs) {
  EXPECT_EQ(Parse({"--undefok=x"}), 1);
  EXPECT_THAT(errors_, HasSubstr("--undefok: unknown flag"));
}

TEST_F(Flags, AFlagFileThatCannotBeReadExitsWithOne) {
  EXPECT_EQ(Parse({"--flagfile=/nowhere/at/all"}), 1);
  EXPECT_THAT(errors_, HasSubstr("--flagfile: cannot read \"/nowhere/at/all\""));
}

TEST_F(Flags, AStrayVariableIsAWarningUnlessItIsForTests) {
  SetVariable("VOICEBRIDGE_LISTENN", "typo");
  SetVariable("VOICEBRIDGE_TEST_SEED", "7");
  EXPECT_EQ(Parse({}), std::nullopt);
  EXPECT_THAT(errors_, HasSubstr("VOICEBRIDGE_LISTENN"));
  EXPECT_THAT(errors_, Not(HasSubstr("TEST_SEED")));
}

TEST(ConfigErrors, ListsEachProblemOnALineOfItsOwn) {
  ConfigErrors errors;
  EXPECT_TRUE(errors.empty());
  errors.Add("listen", "expected HOST:PORT");
  errors.Add("workers", "expected at least one");
  EXPECT_FALSE(errors.empty());
  EXPECT_EQ(errors.ToString(), "--listen: expected HOST:PORT\n--workers: expected at least one");
}

TEST(HostPort, IsANameOrAddressWithANumericPort) {
  for (const char* good : {"127.0.0.1:0", "localhost:8080", "worker-1.internal_net:65535",
                           "[::1]:443", "[2001:db8::2]:1", "0.0.0.0:80"}) {
    EXPECT_TRUE(IsHostPort(good)) << good;
  }
  for (const char* bad : {"", ":80", "localhost", "localhost:", "localhost:http", "localhost:65536",
                          "::1:80", "[::1]", "[localhost]:80", "[]:80", "127.1:80", "1.2.3.4.5:80",
                          "host name:80", "a/b:80", "localhost:-1", "localhost:000080"}) {
    EXPECT_FALSE(IsHostPort(bad)) << bad;
  }
}

TEST(HostPort, LoopbackIsDecidedByTheAddressNotByItsSpelling) {
  for (const char* good : {"127.0.0.1:0", "127.9.9.9:1", "localhost:8080", "[::1]:443"}) {
    EXPECT_TRUE(IsLoopbackHostPort(good)) << good;
  }
  for (const char* bad : {"0.0.0.0:80", "127.example.com:80", "[::]:80", "10.0.0.1:1",
                          "localhost.example.com:1", "localhost"}) {
    EXPECT_FALSE(IsLoopbackHostPort(bad)) << bad;
  }
}

}  // namespace
}  // namespace voicebridge
