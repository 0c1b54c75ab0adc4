#include "bridge_worker/store/session_ends.h"

#include "tests/component/store/store_fixture.h"
#include "tests/fakes/fake_store.h"

namespace voicebridge::test {
namespace {

using absl::StatusCode;
using worker::SessionEnds;
using worker::SessionOwner;
using worker::Store;

// As the store's thread would do it: one job after the other.
class SessionEndsTest : public ::testing::Test {
 protected:
  using Job = std::function<absl::Status(Store&)>;

  // A job for a session that the store knows.
  Job Add(const std::string& id) {
    const SessionOwner owner{id, 1, "worker_a"};
    EXPECT_THAT(store.AcquireSession(owner, "interview"), IsOk());
    return ends->Add({owner, "draining"});
  }

  const std::shared_ptr<FakeStoreSwitches> switches = std::make_shared<FakeStoreSwitches>();
  FakeStore store{switches};
  const std::shared_ptr<SessionEnds> ends = std::make_shared<SessionEnds>();
};

TEST_F(SessionEndsTest, TheFirstTakesAllAlongThatWait) {
  ASSERT_THAT(store.Open(), IsOk());
  std::vector<Job> jobs;
  for (int i = 0; i < 100; ++i) {
    jobs.push_back(Add("sess_" + std::to_string(i)));
  }
  const int before = switches->calls();
  for (const Job& job : jobs) {
    EXPECT_THAT(job(store), IsOk());
  }
  EXPECT_EQ(switches->calls(), before + 1);
  EXPECT_THAT(Add("sess_late")(store), IsOk());
}

TEST_F(SessionEndsTest, NotMoreThanOthersMayWaitFor) {
  ASSERT_THAT(store.Open(), IsOk());
  std::vector<Job> jobs;
  for (std::size_t i = 0; i < SessionEnds::kTogetherMax + 1; ++i) {
    jobs.push_back(Add("sess_" + std::to_string(i)));
  }
  const int before = switches->calls();
  for (const Job& job : jobs) {
    EXPECT_THAT(job(store), IsOk());
  }
  EXPECT_EQ(switches->calls(), before + 2);
}

TEST_F(SessionEndsTest, EachSessionHasItsOwnOutcome) {
  ASSERT_THAT(store.Open(), IsOk());
  const Job good = Add("sess_a");
  const Job unknown = ends->Add({{"sess_b", 1, "worker_a"}, "draining"});
  EXPECT_THAT(good(store), IsOk());
  EXPECT_THAT(unknown(store), Fails(StatusCode::kNotFound));
}

TEST_F(SessionEndsTest, AfterAnOutageTheyAreWrittenTogetherToo) {
  ASSERT_THAT(store.Open(), IsOk());
  const Job first = Add("sess_a");
  const Job second = Add("sess_b");
  const Job third = Add("sess_c");
  switches->SetAway(true);
  EXPECT_THAT(first(store), Fails(StatusCode::kUnavailable));
  switches->SetAway(false);
  const int before = switches->calls();
  for (const Job& job : {second, first, third}) {
    EXPECT_THAT(job(store), IsOk());
  }
  EXPECT_EQ(switches->calls(), before + 1);
}

}  // namespace
}  // namespace voicebridge::test
