#include "common/runtime/session_index.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/use_future.hpp>
#include <optional>
#include <string>
#include <thread>
#include <vector>

namespace voicebridge {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

class SessionIndexTest : public testing::Test {
 protected:
  explicit SessionIndexTest(std::int64_t capacity = 2)
      : index_(io_.get_executor(), capacity, live_) {}

  std::shared_ptr<SessionHandle> Handle(const std::string& id, std::uint64_t epoch) {
    auto handle = std::make_shared<SessionHandle>();
    handle->session_id = id;
    handle->epoch = epoch;
    handle->executor = io_.get_executor();
    handle->end = [this, epoch](EndReason reason, Deadline) {
      ended_epoch_ = epoch;
      ended_reason_ = reason;
    };
    return handle;
  }

  absl::StatusCode Add(const std::shared_ptr<SessionHandle>& handle) {
    auto added = net::co_spawn(io_, index_.Add(handle), net::use_future);
    RunReady();
    return added.get().code();
  }

  void Remove(const std::shared_ptr<SessionHandle>& handle) {
    auto removed = net::co_spawn(io_, index_.Remove(handle), net::use_future);
    RunReady();
    removed.get();
  }

  std::vector<std::string> Shown() const {
    std::vector<std::string> ids;
    for (std::size_t place = 0; place < LiveSessions::kPlaces; ++place) {
      ids.emplace_back(live_.Read(place).view());
    }
    while (!ids.empty() && ids.back().empty()) {
      ids.pop_back();
    }
    return ids;
  }

  void RunReady() {
    io_.restart();
    io_.poll();
  }

  net::io_context io_;
  LiveSessions live_;
  SessionIndex index_;
  std::optional<std::uint64_t> ended_epoch_;
  std::optional<EndReason> ended_reason_;
};

TEST_F(SessionIndexTest, RefusesBeyondItsCapacityUntilOneLeaves) {
  const auto first = Handle("a", 1);
  EXPECT_EQ(Add(first), absl::StatusCode::kOk);
  EXPECT_EQ(Add(Handle("b", 1)), absl::StatusCode::kOk);
  EXPECT_EQ(Add(Handle("c", 1)), absl::StatusCode::kResourceExhausted);
  Remove(first);
  EXPECT_EQ(live_.count(), 1);
  EXPECT_EQ(Add(Handle("c", 1)), absl::StatusCode::kOk);
}

TEST_F(SessionIndexTest, TheHigherEpochWinsAndTheOlderIsToldThatItIsSuperseded) {
  const auto old_attachment = Handle("a", 1);
  EXPECT_EQ(Add(old_attachment), absl::StatusCode::kOk);
  const auto new_attachment = Handle("a", 2);
  EXPECT_EQ(Add(new_attachment), absl::StatusCode::kOk);
  EXPECT_EQ(ended_epoch_, 1U);
  EXPECT_EQ(ended_reason_, v1::END_REASON_SUPERSEDED);
  // The older one leaves late; the newer is still fenced against what comes later still.
  Remove(old_attachment);
  EXPECT_EQ(Add(Handle("a", 2)), absl::StatusCode::kAborted);
  EXPECT_EQ(Add(Handle("a", 1)), absl::StatusCode::kAborted);
}

TEST_F(SessionIndexTest, TakesNoSessionOnceClosed) {
  index_.Close();
  EXPECT_EQ(Add(Handle("a", 1)), absl::StatusCode::kUnavailable);
  EXPECT_EQ(live_.count(), 0);
}

TEST_F(SessionIndexTest, AsksEverySessionToEnd) {
  Add(Handle("a", 7));
  index_.EndAll(v1::END_REASON_DRAINING, Deadline::Never());
  RunReady();
  EXPECT_EQ(ended_epoch_, 7U);
  EXPECT_EQ(ended_reason_, v1::END_REASON_DRAINING);
}

TEST_F(SessionIndexTest, ListsWhatItHolds) {
  Add(Handle("b", 1));
  Add(Handle("a", 2));
  auto listed = net::co_spawn(io_, index_.List(), net::use_future);
  RunReady();
  const SessionIndex::Sessions sessions = listed.get();
  ASSERT_EQ(sessions.size(), 2U);
  EXPECT_EQ(sessions[0]->session_id, "a");
  EXPECT_NE(sessions[0]->added, TimePoint());
}

TEST_F(SessionIndexTest, EndsOneAndWaitsUntilItHasLeft) {
  const auto handle = Handle("a", 1);
  Add(handle);
  const auto other = Handle("b", 2);
  Add(other);
  const Deadline soon = Deadline::After(std::chrono::steady_clock::now(), seconds(10));
  auto ended =
      net::co_spawn(io_, index_.End("a", v1::END_REASON_ENDED_BY_OPERATOR, soon), net::use_future);
  RunReady();
  EXPECT_EQ(ended_epoch_, 1U);
  EXPECT_EQ(ended_reason_, v1::END_REASON_ENDED_BY_OPERATOR);
  Remove(other);
  EXPECT_EQ(ended.wait_for(seconds(0)), std::future_status::timeout) << "it is still there";
  Remove(handle);
  RunReady();
  ASSERT_EQ(ended.wait_for(seconds(0)), std::future_status::ready);
  EXPECT_TRUE(ended.get().ok());
}

TEST_F(SessionIndexTest, AnAttachmentThatWasReplacedHasLeft) {
  const auto handle = Handle("a", 1);
  Add(handle);
  const Deadline soon = Deadline::After(std::chrono::steady_clock::now(), seconds(10));
  auto ended =
      net::co_spawn(io_, index_.End("a", v1::END_REASON_ENDED_BY_OPERATOR, soon), net::use_future);
  RunReady();
  Add(Handle("a", 2));
  RunReady();
  ASSERT_EQ(ended.wait_for(seconds(0)), std::future_status::ready);
  EXPECT_TRUE(ended.get().ok());
}

TEST_F(SessionIndexTest, SaysWhichSessionIsNotThereAndWhichDoesNotLeave) {
  const auto end = [this](const std::string& id) {
    const Deadline now = Deadline::After(std::chrono::steady_clock::now(), Duration::zero());
    auto ended =
        net::co_spawn(io_, index_.End(id, v1::END_REASON_ENDED_BY_OPERATOR, now), net::use_future);
    RunReady();
    RunReady();
    return ended.get().code();
  };
  EXPECT_EQ(end("a"), absl::StatusCode::kNotFound);
  Add(Handle("a", 1));
  EXPECT_EQ(end("a"), absl::StatusCode::kDeadlineExceeded);
}

TEST_F(SessionIndexTest, TellsOfEachChangeOfItsCountAfterIt) {
  std::vector<std::int64_t> counts;
  index_.SetOnCount([&] { counts.push_back(index_.size()); });
  const auto first = Handle("a", 1);
  Add(first);
  Add(Handle("b", 1));
  Add(Handle("c", 1));
  EXPECT_THAT(counts, ElementsAre(1, 2)) << "one was refused";
  Remove(first);
  EXPECT_THAT(counts, ElementsAre(1, 2, 1));
}

TEST_F(SessionIndexTest, ShowsWhoIsThere) {
  EXPECT_THAT(Shown(), IsEmpty());
  const auto first = Handle("a", 1);
  Add(first);
  Add(Handle("b", 1));
  Add(Handle("c", 1));
  EXPECT_THAT(Shown(), ElementsAre("a", "b")) << "one was refused";
  Remove(first);
  EXPECT_THAT(Shown(), ElementsAre("b"));
}

TEST_F(SessionIndexTest, ShowsASupersededSessionUntilItHasLeft) {
  const auto old_attachment = Handle("a", 1);
  Add(old_attachment);
  const auto new_attachment = Handle("a", 2);
  Add(new_attachment);
  EXPECT_THAT(Shown(), ElementsAre("a", "a"));
  Remove(new_attachment);
  EXPECT_THAT(Shown(), ElementsAre("a")) << "the older one is stuck";
  EXPECT_EQ(live_.count(), 1);
  Remove(old_attachment);
  EXPECT_THAT(Shown(), IsEmpty());
}

// --- A drain -------------------------------------------------------------------------------------

// Two sessions and what they were told.
class DrainedSessions : public SessionIndexTest {
 protected:
  DrainedSessions() {
    index_.SetOnLeft([this](const SessionHandle& handle) {
      left_.push_back(handle.session_id + ", " + std::string(TraitsOf(handle.end_reason).word));
      left_.insert(left_.end(), handle.tasks_left.begin(), handle.tasks_left.end());
    });
    for (const char* id : {"b", "a"}) {
      handles_.push_back(Told(id));
      Add(handles_.back());
    }
  }

  std::shared_ptr<SessionHandle> Told(const std::string& id) {
    auto handle = Handle(id, 1);
    handle->end = [this, id](EndReason, Deadline deadline) { Note("end", id, deadline); };
    handle->announce_drain = [this, id](Deadline deadline) { Note("announce", id, deadline); };
    handle->force = [this, id] { told_.push_back("force " + id); };
    return handle;
  }

  void Note(const std::string& what, const std::string& id, Deadline deadline) {
    told_.push_back(what + " " + id + (deadline == deadline_ ? "" : " by another deadline"));
  }

  std::vector<std::string> Ids() {
    std::vector<std::string> ids;
    index_.ListIds([&ids](std::vector<std::string> listed) { ids = std::move(listed); });
    RunReady();
    return ids;
  }

  const Deadline deadline_ = Deadline::At(TimePoint(hours(1)));
  std::vector<std::shared_ptr<SessionHandle>> handles_;
  std::vector<std::string> told_;
  std::vector<std::string> left_;
};

TEST_F(DrainedSessions, AreToldTheDeadlineByWhichTheyHaveToBeOver) {
  index_.AnnounceDrainToAll(deadline_);
  RunReady();
  EXPECT_THAT(told_, ElementsAre("announce a", "announce b"));
}

TEST_F(DrainedSessions, EndByTheDeadlineOfTheCaller) {
  index_.EndAll(v1::END_REASON_DRAINING, deadline_);
  RunReady();
  EXPECT_THAT(told_, ElementsAre("end a", "end b"));
}

TEST_F(DrainedSessions, AreCutOff) {
  index_.ForceAll();
  RunReady();
  EXPECT_THAT(told_, ElementsAre("force a", "force b"));
}

TEST_F(DrainedSessions, AreToldInTheOrderOfTheCallsFromWhateverThread) {
  std::thread([this] {
    index_.AnnounceDrainToAll(deadline_);
    index_.EndAll(v1::END_REASON_DRAINING, deadline_);
    index_.ForceAll();
  }).join();
  RunReady();
  EXPECT_THAT(told_,
              ElementsAre("announce a", "announce b", "end a", "end b", "force a", "force b"));
}

TEST_F(DrainedSessions, ThatAreOverAreToldNothing) {
  for (const auto& handle : handles_) {
    handle->end = nullptr;
    handle->announce_drain = nullptr;
    handle->force = nullptr;
  }
  index_.AnnounceDrainToAll(deadline_);
  index_.EndAll(v1::END_REASON_DRAINING, deadline_);
  index_.ForceAll();
  RunReady();
  EXPECT_THAT(told_, IsEmpty());
}

TEST_F(DrainedSessions, AreAllListedAndNoneIsAddedAfterwards) {
  Remove(handles_[0]);
  // It is on its way to the index when that is closed and asked: its answer is what counts.
  auto added = net::co_spawn(io_, index_.Add(Told("c")), net::use_future);
  index_.Close();
  const std::vector<std::string> listed = Ids();
  EXPECT_EQ(added.get().code(), absl::StatusCode::kUnavailable);
  EXPECT_THAT(listed, ElementsAre("a"));
}

TEST_F(DrainedSessions, ComeAgainOnceItIsOpenAgain) {
  Remove(handles_[0]);
  index_.Close();
  EXPECT_TRUE(index_.closed());
  EXPECT_EQ(Add(Told("c")), absl::StatusCode::kUnavailable);
  index_.Reopen();
  EXPECT_FALSE(index_.closed());
  EXPECT_EQ(Add(Told("c")), absl::StatusCode::kOk);
  EXPECT_THAT(Ids(), ElementsAre("a", "c"));
}

TEST_F(DrainedSessions, AreReportedOnceTheyHaveLeftWithHowTheyEnded) {
  const auto handle = handles_[1];
  handle->end_reason = v1::END_REASON_DRAINING;
  handle->tasks_left = {"read upstream"};
  handle->removed = [this] { left_.emplace_back("removed"); };
  Remove(handle);
  EXPECT_THAT(left_, ElementsAre("removed", "a, draining", "read upstream"));
}

TEST_F(DrainedSessions, ThatWereReplacedHaveNotLeft) {
  const auto newer = Handle("a", 2);
  newer->end_reason = v1::END_REASON_CLIENT_CLOSED;
  Remove(handles_[0]);  // There is room for two.
  left_.clear();
  Add(newer);
  bool removed = false;
  handles_[1]->removed = [&removed] { removed = true; };
  Remove(handles_[1]);
  EXPECT_TRUE(removed);
  EXPECT_THAT(left_, IsEmpty()) << "the session goes on in its newer attachment";
  Remove(newer);
  EXPECT_THAT(left_, ElementsAre("a, client_closed"));
}

class ManySessionsTest : public SessionIndexTest {
 protected:
  ManySessionsTest() : SessionIndexTest(0) {}
};

TEST_F(ManySessionsTest, ShowsTheFirstOfThemAndThenThoseThatAreLeft) {
  std::vector<std::shared_ptr<SessionHandle>> handles;
  for (std::size_t i = 0; i < LiveSessions::kPlaces + 2; ++i) {
    handles.push_back(Handle("sess_" + std::to_string(i), 1));
    Add(handles.back());
  }
  ASSERT_EQ(Shown().size(), LiveSessions::kPlaces);
  EXPECT_EQ(Shown().front(), "sess_0");
  EXPECT_EQ(Shown().back(), "sess_15");
  Remove(handles[16]);  // It was not shown.
  EXPECT_EQ(Shown().back(), "sess_15");
  Remove(handles[0]);
  EXPECT_EQ(Shown().front(), "sess_1");
  EXPECT_EQ(Shown().back(), "sess_17");
  for (std::size_t i = 1; i < 16; ++i) {
    Remove(handles[i]);
  }
  EXPECT_THAT(Shown(), ElementsAre("sess_17"));
}

}  // namespace
}  // namespace voicebridge
