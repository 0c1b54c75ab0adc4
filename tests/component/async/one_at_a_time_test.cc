#include "common/async/one_at_a_time.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <functional>
#include <stdexcept>
#include <vector>

namespace voicebridge {
namespace {

using testing::ElementsAre;

TEST(OneAtATime, WhatComesDuringAnEventIsHandledAfterIt) {
  OneAtATime<int> events;
  std::vector<int> said;
  std::function<void(int)> handle = [&](int event) {
    said.push_back(event);
    if (event < 10) {
      events.Feed(event + 10, handle);
      events.Feed(event + 20, handle);
    }
    said.push_back(-event);
  };
  events.Feed(1, handle);
  events.Feed(2, handle);
  EXPECT_THAT(said, ElementsAre(1, -1, 11, -11, 21, -21, 2, -2, 12, -12, 22, -22));
}

TEST(OneAtATime, GoesOnAfterAnEventThatThrew) {
  OneAtATime<int> events;
  std::vector<int> said;
  std::function<void(int)> handle = [&](int event) {
    said.push_back(event);
    if (event == 1) {
      events.Feed(2, handle);
      throw std::runtime_error("as planned");
    }
  };
  EXPECT_THROW(events.Feed(1, handle), std::runtime_error);
  events.Feed(3, handle);
  EXPECT_THAT(said, ElementsAre(1, 3, 2));
}

}  // namespace
}  // namespace voicebridge
