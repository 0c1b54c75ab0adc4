#include "common/observability/log.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <poll.h>
#include <unistd.h>

#include <array>
#include <chrono>
#include <limits>
#include <sstream>
#include <string>
#include <thread>
#include <type_traits>
#include <vector>

#include "common/async/clock.h"
#include "common/core/deadline.h"
#include "common/core/secret.h"
#include "common/core/time.h"
#include "common/json/escape.h"
#include "common/json/json.h"
#include "common/observability/log_line.h"

namespace voicebridge {
namespace {

using testing::HasSubstr;
using testing::Not;

std::chrono::system_clock::time_point At(std::int64_t unix_ms) {
  return std::chrono::system_clock::time_point(milliseconds(unix_ms));
}

LogLine Line(Logger::Fields fields) {
  return {At(1'700'000'000'007), LogLevel::kInfo, "worker", "session.started", fields};
}

Deadline In(Duration budget) { return Deadline::After(SystemClock().Now(), budget); }

std::vector<std::string> LinesOf(const std::string& text) {
  std::vector<std::string> lines;
  std::istringstream in(text);
  for (std::string line; std::getline(in, line);) {
    lines.push_back(line);
  }
  return lines;
}

TEST(LogLine, IsOneJsonObjectWithTheFieldsBehindTheEnvelope) {
  EXPECT_EQ(FormatJson(Line({{"session", "sess_1"},
                             {"epoch", 2U},
                             {"resumed", true},
                             {"load", 0.5},
                             {"offset", -3}})),
            R"({"ts":"2023-11-14T22:13:20.007Z","level":"info","process":"worker",)"
            R"("event":"session.started","session":"sess_1","epoch":2,"resumed":true,)"
            R"("load":0.5,"offset":-3})");
}

TEST(LogLine, StaysValidJsonWhateverTheFieldsHold) {
  const std::string injected = "a\"b\\c\nd\r\t{\"level\":\"error\"}\x01\x7f\xff\xc0\x80 é";
  const std::string line = FormatJson(Line({{"text", injected}, {injected, 1}}));
  EXPECT_EQ(line.find('\n'), std::string::npos);
  const auto object = ParseObject(line);
  ASSERT_TRUE(object.ok()) << object.status() << line;
  EXPECT_EQ(StringOr(*object, "level"), "info");
  const std::string_view text = StringOr(*object, "text");
  EXPECT_THAT(std::string(text), HasSubstr("a\"b\\c\nd\r\t{\"level\":\"error\"}"));
  EXPECT_THAT(std::string(text), HasSubstr("\xEF\xBF\xBD"));
  EXPECT_THAT(std::string(text), HasSubstr("é"));
}

TEST(LogLine, WritesNumbersThatJsonLacksAsNull) {
  const auto object = ParseObject(
      FormatJson(Line({{"a", std::numeric_limits<double>::infinity()}, {"b", std::nan("")}})));
  ASSERT_TRUE(object.ok()) << object.status();
  EXPECT_TRUE(object->at("a").is_null());
  EXPECT_TRUE(object->at("b").is_null());
}

TEST(LogLine, CutsLongValues) {
  const std::string line = FormatJson(Line({{"text", std::string(100'000, 'x')}}));
  EXPECT_LT(line.size(), 3'000U);
  EXPECT_TRUE(ParseObject(line).ok());
  EXPECT_THAT(line, HasSubstr("x...\""));
}

TEST(LogLine, IsReadableAndUnambiguousAsText) {
  EXPECT_EQ(FormatText(Line({{"session", "sess_1"},
                             {"reason", "two words"},
                             {"empty", ""},
                             {"forged", "x\nlevel=error"},
                             {"count", 3}})),
            "2023-11-14T22:13:20.007Z info    worker session.started session=sess_1 "
            "reason=\"two words\" empty=\"\" forged=\"x\\nlevel=error\" count=3");
}

TEST(JsonString, ReplacesEachByteThatIsNoUtf8) {
  const auto escaped = [](std::string_view text) {
    std::string out;
    AppendJsonString(text, out);
    return out;
  };
  const std::string mark = "\xEF\xBF\xBD";
  EXPECT_EQ(escaped("\xC3\xA9\xE2\x82\xAC\xF0\x9F\x98\x80"),
            "\"\xC3\xA9\xE2\x82\xAC\xF0\x9F\x98\x80\"");
  EXPECT_EQ(escaped("\xC0\xAF"), "\"" + mark + mark + "\"");             // Overlong.
  EXPECT_EQ(escaped("\xED\xA0\x80"), "\"" + mark + mark + mark + "\"");  // Surrogate.
  EXPECT_EQ(escaped("\xF4\x90\x80\x80"), "\"" + mark + mark + mark + mark + "\"");
  EXPECT_EQ(escaped("a\xE2\x82"), "\"a" + mark + mark + "\"");  // Cut off.
  EXPECT_EQ(escaped("\xE2\x82x"), "\"" + mark + mark + "x\"");
}

TEST(JsonString, SurvivesEveryPairOfBytes) {
  for (int first = 0; first < 256; ++first) {
    std::string text;
    for (int second = 0; second < 256; ++second) {
      text += static_cast<char>(first);
      text += static_cast<char>(second);
      text += ' ';
    }
    std::string json = "{\"text\":";
    AppendJsonString(text, json);
    json += '}';
    EXPECT_TRUE(ParseObject(json).ok()) << first;
  }
}

TEST(Logger, WritesOneJsonLinePerEventWhenThereIsNoTerminal) {
  testing::internal::CaptureStderr();
  {
    const auto logger = MakeLogger("gateway", LogLevel::kInfo);
    logger->Debug("too.low", {});
    logger->Info("process.started", {{"version", "1\n2"}});
    logger->Error("store.failed", {{"path", "/tmp/\"x\""}});
    logger->Flush(In(milliseconds(100)));
  }
  const auto lines = LinesOf(testing::internal::GetCapturedStderr());
  ASSERT_EQ(lines.size(), 2U);
  const auto started = ParseObject(lines[0]);
  ASSERT_TRUE(started.ok()) << lines[0];
  EXPECT_EQ(StringOr(*started, "process"), "gateway");
  EXPECT_EQ(StringOr(*started, "event"), "process.started");
  EXPECT_EQ(StringOr(*started, "version"), "1\n2");
  EXPECT_EQ(StringOr(*ParseObject(lines[1]), "level"), "error");
}

TEST(Logger, WritesWhatIsQueuedWhenItIsDestroyed) {
  testing::internal::CaptureStderr();
  { MakeLogger("gateway", LogLevel::kInfo)->Info("last.words", {}); }
  EXPECT_THAT(testing::internal::GetCapturedStderr(), HasSubstr("last.words"));
}

TEST(Logger, TakesLinesFromSeveralThreadsWhole) {
  constexpr int kThreads = 4;
  constexpr int kLinesEach = 200;
  testing::internal::CaptureStderr();
  {
    const auto logger = MakeLogger("gateway", LogLevel::kInfo);
    std::vector<std::thread> threads;
    for (int thread = 0; thread < kThreads; ++thread) {
      threads.emplace_back([&logger, thread] {
        for (int i = 0; i < kLinesEach; ++i) {
          logger->Info("line.written", {{"thread", thread}, {"i", i}});
        }
      });
    }
    for (std::thread& thread : threads) {
      thread.join();
    }
  }
  const auto lines = LinesOf(testing::internal::GetCapturedStderr());
  EXPECT_EQ(lines.size(), static_cast<std::size_t>(kThreads * kLinesEach));
  for (const std::string& line : lines) {
    EXPECT_TRUE(ParseObject(line).ok()) << line;
  }
}

// Standard error on a pipe that nobody reads until ReadThrough.
class FullPipe {
 public:
  FullPipe() : saved_(dup(STDERR_FILENO)) {
    EXPECT_EQ(pipe(ends_.data()), 0);
    dup2(ends_[1], STDERR_FILENO);
    close(ends_[1]);
  }
  ~FullPipe() {
    dup2(saved_, STDERR_FILENO);
    close(saved_);
    close(ends_[0]);
  }

  // Everything up to the last line, which contains `last`; with a pause before each read.
  std::string ReadThrough(std::string_view last, milliseconds pause = {}) {
    std::string text;
    std::array<char, 65536> buffer{};
    pollfd ready{ends_[0], POLLIN, 0};
    while (text.find(last) == std::string::npos && poll(&ready, 1, 5'000) == 1) {
      poll(nullptr, 0, static_cast<int>(pause.count()));
      const ssize_t n = read(ends_[0], buffer.data(), buffer.size());
      text.append(buffer.data(), static_cast<std::size_t>(n));
    }
    return text;
  }

 private:
  int saved_;
  std::array<int, 2> ends_{};
};

TEST(Logger, NeverBlocksOnAFullPipeAndKeepsTheNewestLines) {
  constexpr int kLines = 20'000;
  const std::string padding(100, 'x');
  FullPipe pipe;
  {
    const auto logger = MakeLogger("gateway", LogLevel::kInfo);
    for (int i = 0; i < kLines; ++i) {
      logger->Info("line.written", {{"i", i}, {"padding", padding}});
    }
    logger->Flush(In(milliseconds(100)));
  }
  const std::string text = pipe.ReadThrough("log.dropped");
  EXPECT_THAT(text, HasSubstr("\"i\":19999,"));
  EXPECT_THAT(text, HasSubstr("log.dropped"));
  const auto lines = LinesOf(text);
  EXPECT_GT(lines.size(), 4'000U);
  EXPECT_LT(lines.size(), 10'000U);
}

// Fewer lines than would be dropped, and more than a pipe holds.
constexpr std::string_view kLastLine = "\"i\":3000,";

void WriteThreeThousand(Logger& logger) {
  const std::string padding(100, 'x');
  for (int i = 1; i <= 3'000; ++i) {
    logger.Info("line.written", {{"i", i}, {"padding", padding}});
  }
}

TEST(Logger, WaitsForAReaderThatIsSlow) {
  FullPipe pipe;
  const auto logger = MakeLogger("gateway", LogLevel::kInfo);
  WriteThreeThousand(*logger);
  std::string text;
  std::thread reader([&] { text = pipe.ReadThrough(kLastLine, milliseconds(100)); });
  const TimePoint begun = SystemClock().Now();
  logger->Flush(In(seconds(10)));
  EXPECT_GT(SystemClock().Now() - begun, milliseconds(600));
  EXPECT_LT(SystemClock().Now() - begun, seconds(9));
  reader.join();
  EXPECT_EQ(LinesOf(text).size(), 3'000U);
}

TEST(Logger, DoesNotWaitForAReaderThatReadsNothing) {
  FullPipe pipe;
  const auto logger = MakeLogger("gateway", LogLevel::kInfo);
  WriteThreeThousand(*logger);
  const TimePoint begun = SystemClock().Now();
  logger->Flush(In(seconds(10)));
  EXPECT_LT(SystemClock().Now() - begun, seconds(5));
  EXPECT_THAT(pipe.ReadThrough(kLastLine), HasSubstr(kLastLine));
}

TEST(Secret, PrintsAsStarsAndIsNoLogField) {
  const Secret secret("sk-very-secret");
  std::ostringstream out;
  out << secret;
  EXPECT_EQ(out.str(), "***");
  EXPECT_EQ(testing::PrintToString(secret), "***");
  EXPECT_FALSE((std::is_constructible_v<LogField, std::string_view, Secret>));
  EXPECT_FALSE((std::is_convertible_v<Secret, std::string>));
}

}  // namespace
}  // namespace voicebridge
