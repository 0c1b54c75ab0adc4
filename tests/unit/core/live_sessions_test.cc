#include "common/core/live_sessions.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
#include <string>
#include <thread>
#include <vector>

namespace voicebridge {
namespace {

std::string IdOf(char letter, std::size_t length) {
  return "sess_" + std::string(length - 5, letter);
}

TEST(LiveSessions, GivesNoMorePlacesThanItsCapacity) {
  LiveSessions sessions;
  EXPECT_TRUE(sessions.TryReserve(2));
  EXPECT_TRUE(sessions.TryReserve(2));
  EXPECT_FALSE(sessions.TryReserve(2));
  EXPECT_TRUE(sessions.TryReserve(0)) << "0: no limit";
  EXPECT_EQ(sessions.count(), 3);
  sessions.Release();
  sessions.Release();
  EXPECT_TRUE(sessions.TryReserve(2));
}

TEST(LiveSessions, ThreadsThatRaceForTheLastPlacesGetNoMore) {
  constexpr std::int64_t kCapacity = 3;
  LiveSessions sessions;
  std::atomic<std::int64_t> held = 0;
  std::atomic<bool> exceeded = false;
  std::vector<std::thread> threads;
  for (int i = 0; i < 4; ++i) {
    threads.emplace_back([&] {
      for (int round = 0; round < 20000; ++round) {
        if (sessions.TryReserve(kCapacity)) {
          if (++held > kCapacity) {
            exceeded = true;
          }
          --held;
          sessions.Release();
        }
      }
    });
  }
  for (std::thread& thread : threads) {
    thread.join();
  }
  EXPECT_FALSE(exceeded);
  EXPECT_EQ(sessions.count(), 0);
}

TEST(LiveSessions, ShowsWhatWasPutIntoAPlace) {
  LiveSessions sessions;
  EXPECT_EQ(sessions.Read(3).view(), "");
  sessions.Show(3, "sess_0123456789abcdefghijk");
  EXPECT_EQ(sessions.Read(3).view(), "sess_0123456789abcdefghijk");
  EXPECT_EQ(sessions.Read(2).view(), "");
  sessions.Show(3, "b");
  EXPECT_EQ(sessions.Read(3).view(), "b");
  sessions.Show(3, "");
  EXPECT_EQ(sessions.Read(3).view(), "");
}

TEST(LiveSessions, CutsAnIdThatIsTooLong) {
  LiveSessions sessions;
  const std::string id = IdOf('x', 200);
  sessions.Show(0, id);
  EXPECT_EQ(sessions.Read(0).view(), id.substr(0, 39));
}

// The ids differ in every byte and in length, so that any mixture of two of them shows.
TEST(LiveSessions, NoReaderSeesPartsOfTwoIds) {
  const std::vector<std::string> ids = {IdOf('a', 26), IdOf('b', 39), IdOf('c', 8), "",
                                        IdOf('d', 32)};
  LiveSessions sessions;
  std::atomic<bool> done = false;
  std::atomic<std::size_t> whole = 0;
  std::atomic<std::size_t> torn = 0;
  std::vector<std::thread> readers;
  for (int i = 0; i < 2; ++i) {
    readers.emplace_back([&] {
      while (!done.load(std::memory_order_relaxed)) {
        const LiveSessions::ShownId seen = sessions.Read(0);
        const bool known = std::find(ids.begin(), ids.end(), seen.view()) != ids.end();
        ++(known ? whole : torn);
      }
    });
  }
  // Until the readers have looked often enough, also where they hardly get to run.
  for (std::size_t round = 0; whole + torn < 200'000 || round < 100'000; ++round) {
    sessions.Show(0, ids[round % ids.size()]);
  }
  done = true;
  for (std::thread& reader : readers) {
    reader.join();
  }
  EXPECT_EQ(torn, 0U);
}

}  // namespace
}  // namespace voicebridge
