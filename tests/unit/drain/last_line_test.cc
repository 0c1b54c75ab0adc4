#include "common/drain/last_line.h"

#include <gtest/gtest.h>

#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>
#include <string>
#include <utility>

#include "common/observability/log_line.h"

namespace voicebridge {
namespace {

using std::chrono::system_clock;

system_clock::time_point At(std::int64_t ms) {
  return system_clock::time_point(std::chrono::milliseconds(ms));
}

// Long names that differ: of each one, 64 characters.
template <std::size_t kNumber>
struct LongName {
  static constexpr auto kText = [] {
    std::array<char, 65> text{};
    text.fill('x');
    text[0] = 'a' + kNumber / 26;
    text[1] = 'a' + kNumber % 26;
    text[64] = '\0';
    return text;
  }();
};

template <std::size_t... kNumbers>
void AddLongNames(LiveTasks& tasks, std::index_sequence<kNumbers...>) {
  (tasks.Add(LongName<kNumbers>::kText.data()), ...);
}

TEST(LastLine, LooksLikeEveryOtherLineOfTheLog) {
  for (const std::int64_t ms : {0LL, 951'782'399'999LL /* 2000-02-28 */, 951'782'400'005LL,
                                1'709'164'800'010LL, 1'798'761'599'123LL, 4'107'542'400'000LL}) {
    LastLine line;
    line.Begin(At(ms), "error", "worker", "watchdog.exit");
    line.Add("pid", 4711);
    line.Add("least", INT64_MIN);
    const std::string expected = FormatJson({At(ms),
                                             LogLevel::kError,
                                             "worker",
                                             "watchdog.exit",
                                             {{"pid", 4711}, {"least", INT64_MIN}}});
    EXPECT_EQ(line.End(), expected + "\n");
  }
}

TEST(LastLine, NamesTheSessionsTheLibraryCallsAndTheTasks) {
  LiveTasks tasks;
  tasks.Add("read client");
  tasks.Add("read client");
  tasks.Remove(tasks.Add("over"));
  tasks.Add("write client");
  LiveSessions sessions;
  sessions.TryReserve(0);
  sessions.TryReserve(0);
  sessions.Show(0, "sess_a");
  sessions.Show(3, "sess_b");
  LiveTasks calls;
  calls.Add("getaddrinfo");
  LastLine line;
  line.Begin(At(0), "error", "gateway", "watchdog.exit");
  line.AddSessions(sessions);
  line.AddLibraryCalls(calls);
  line.AddTasks(tasks);
  EXPECT_EQ(line.End(), R"({"ts":"1970-01-01T00:00:00.000Z","level":"error","process":"gateway",)"
                        R"("event":"watchdog.exit","sessions":2,"session_ids":["sess_a","sess_b"],)"
                        R"("library_calls":1,"library_call_kinds":{"getaddrinfo":1},)"
                        R"("tasks":3,"task_kinds":{"read client":2,"write client":1}})"
                        "\n");
}

TEST(LastLine, SaysThatThereIsNothing) {
  LastLine line;
  line.Begin(At(0), "info", "gateway", "signal.during_start");
  line.AddSessions(LiveSessions());
  line.AddTasks(LiveTasks());
  const auto parsed = boost::json::parse(std::string(line.End())).as_object();
  EXPECT_EQ(boost::json::serialize(parsed.at("session_ids")), "[]");
  EXPECT_EQ(boost::json::serialize(parsed.at("task_kinds")), "{}");
}

TEST(LastLine, AnIdFromElsewhereDoesNotBreakIt) {
  LiveSessions sessions;
  sessions.Show(0, "a\"b\\c\nd \x7F\xFF");
  LastLine line;
  line.Begin(At(0), "error", "gateway", "watchdog.exit");
  line.AddSessions(sessions);
  const auto parsed = boost::json::parse(std::string(line.End())).as_object();
  EXPECT_EQ(parsed.at("session_ids").as_array().at(0).as_string(), "a?b?c?d???");
}

TEST(LastLine, LeavesOutWhatDoesNotFit) {
  LiveSessions sessions;
  for (std::size_t place = 0; place < LiveSessions::kPlaces; ++place) {
    sessions.TryReserve(0);
    sessions.Show(place, std::string(100, '"'));
  }
  LiveTasks tasks;
  AddLongNames(tasks, std::make_index_sequence<LiveTasks::kKindsMax>());
  LastLine line;
  line.Begin(At(0), "error", "gateway", "watchdog.exit");
  line.AddSessions(sessions);
  line.AddTasks(tasks);
  const std::string_view text = line.End();
  EXPECT_LE(text.size(), LastLine::kBytesMax);
  EXPECT_GT(text.size(), LastLine::kBytesMax - 100);
  const auto parsed = boost::json::parse(std::string(text)).as_object();
  EXPECT_EQ(parsed.at("session_ids").as_array().size(), LiveSessions::kPlaces);
  EXPECT_EQ(parsed.at("tasks").as_int64(), 64);
  EXPECT_GT(parsed.at("task_kinds").as_object().size(), 30U);
  EXPECT_LT(parsed.at("task_kinds").as_object().size(), 64U);
}

}  // namespace
}  // namespace voicebridge
