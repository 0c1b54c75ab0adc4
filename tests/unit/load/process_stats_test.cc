#include "tests/load/process_stats.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <vector>

#include "tests/load/json_text.h"

namespace voicebridge::load {
namespace {

TEST(ProcessStats, ReadsSchedstat) {
  EXPECT_EQ(ParseSchedstat("4123456789 17 1200\n"), std::chrono::nanoseconds(4123456789));
  EXPECT_FALSE(ParseSchedstat(""));
}

TEST(ProcessStats, ReadsTicksBehindAnyName) {
  const std::string fields = " S 1 7 7 0 -1 4194560 2000 0 3 0 150 25 0 0 20 0 14 0 900 1 2";
  EXPECT_EQ(ParseStatTicks("7 (plain)" + fields), 175U);
  EXPECT_EQ(ParseStatTicks("7 (odd) name (x)" + fields), 175U);
  EXPECT_FALSE(ParseStatTicks("7 (cut) S 1 2"));
  EXPECT_FALSE(ParseStatTicks(""));
}

TEST(ProcessStats, ReadsLinesOfStatus) {
  const std::string status =
      "Name:\tx\nVmHWM:\t  99 kB\nVmRSS:\t  1234 kB\nvoluntary_ctxt_switches:\t56\n";
  EXPECT_EQ(ParseStatusNumber(status, "VmRSS"), 1234U);
  EXPECT_EQ(ParseStatusNumber(status, "voluntary_ctxt_switches"), 56U);
  EXPECT_FALSE(ParseStatusNumber(status, "Rss"));
  EXPECT_FALSE(ParseStatusNumber(status, "Name"));
}

TEST(ProcessStats, SeesThisProcess) {
  const auto before = SampleProcess(::getpid());
  ASSERT_TRUE(before.ok());
  EXPECT_GT(before->rss_kib, 0U);
  EXPECT_GE(before->threads, 1U);
  EXPECT_GE(before->fds, 3U);
  volatile std::uint64_t work = 0;
  for (int i = 0; i < 20'000'000; ++i) {
    work = work + 1;
  }
  EXPECT_GT(SampleProcess(::getpid())->cpu, before->cpu);
}

TEST(ProcessStats, NamesTheProcessThatIsNotThere) {
  const auto sample = SampleProcesses({::getpid(), 999999999});
  ASSERT_FALSE(sample.ok());
  EXPECT_NE(sample.status().message().find("999999999"), absl::string_view::npos);
}

TEST(JsonText, WritesNumbersAsPeopleDo) {
  EXPECT_EQ(JsonText()
                .Text("a", "x\"y")
                .Count("b", 7)
                .Number("c", 0.15)
                .Milliseconds("d", microseconds(1500))
                .Flag("e", true)
                .Raw("f", JsonArray({"1", "2"}))
                .Object(),
            R"({"a":"x\"y","b":7,"c":0.150,"d":1.500,"e":true,"f":[1,2]})");
}

}  // namespace
}  // namespace voicebridge::load
