// The small pieces of common/process, which every program uses.
#include <gtest/gtest.h>
#include <pthread.h>
#include <unistd.h>

#include <csignal>
#include <filesystem>
#include <fstream>
#include <string>
#include <utility>

#include "common/process/listening.h"
#include "common/process/pid_file.h"
#include "common/process/signals.h"

namespace voicebridge {
namespace {

std::string ReadAll(const std::string& path) {
  std::ifstream file(path);
  return {std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
}

std::string PidPath() { return testing::TempDir() + "pid_test." + std::to_string(getpid()); }

TEST(PidFile, HoldsTheProcessIdForAsLongAsItLives) {
  {
    auto file = PidFile::Write(PidPath());
    ASSERT_TRUE(file.ok()) << file.status();
    EXPECT_EQ(ReadAll(PidPath()), std::to_string(getpid()) + "\n");
    PidFile moved = *std::move(file);
    EXPECT_TRUE(std::filesystem::exists(PidPath()));
  }
  EXPECT_FALSE(std::filesystem::exists(PidPath()));
}

TEST(PidFile, LeavesTheFileOfASuccessorAlone) {
  {
    auto file = PidFile::Write(PidPath());
    ASSERT_TRUE(file.ok()) << file.status();
    std::ofstream(PidPath()) << "1\n";
  }
  EXPECT_EQ(ReadAll(PidPath()), "1\n");
  std::filesystem::remove(PidPath());
}

TEST(PidFile, SaysWhichPathCannotBeWritten) {
  const auto file = PidFile::Write("/nowhere/at/all.pid");
  ASSERT_FALSE(file.ok());
  EXPECT_NE(file.status().ToString().find("/nowhere/at/all.pid"), std::string::npos);
}

TEST(StopSignals, DeliversWhatWasSentAndNothingElse) {
  const StopSignals signals;
  EXPECT_EQ(signals.WaitFor(Duration::zero()), std::nullopt);
  pthread_kill(pthread_self(), SIGTERM);
  EXPECT_EQ(signals.WaitFor(seconds(5)), SIGTERM);
  pthread_kill(pthread_self(), SIGINT);
  EXPECT_EQ(signals.WaitFor(seconds(5)), SIGINT);
  EXPECT_EQ(signals.WaitFor(milliseconds(1)), std::nullopt);
}

TEST(StopSignals, WritingToAClosedPipeIsNoSignal) {
  const StopSignals signals;
  int ends[2];
  ASSERT_EQ(pipe(ends), 0);
  close(ends[0]);
  EXPECT_EQ(write(ends[1], "x", 1), -1);
  EXPECT_EQ(errno, EPIPE);
  close(ends[1]);
}

TEST(AnnounceListener, PrintsOneLine) {
  testing::internal::CaptureStdout();
  AnnounceListener("public", "127.0.0.1:8080");
  EXPECT_EQ(testing::internal::GetCapturedStdout(), "listening role=public addr=127.0.0.1:8080\n");
}

}  // namespace
}  // namespace voicebridge
