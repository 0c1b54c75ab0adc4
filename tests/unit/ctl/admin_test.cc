#include "deploy/ctl/admin.h"

#include <gtest/gtest.h>

namespace voicebridge::ctl {
namespace {

TEST(StatusText, IsOneLine) {
  v1::ProcessStatus status;
  status.set_process("worker");
  status.set_version("0.1.0");
  status.set_sessions(3);
  status.set_capacity(500);
  status.set_tasks(12);
  status.mutable_uptime()->set_seconds(7265);
  status.mutable_uptime()->set_nanos(900'000'000);
  EXPECT_EQ(StatusText(status), "worker 0.1.0, up for 2h1m5s: 3 of 500 sessions, 12 tasks\n");
  status.set_draining(true);
  status.set_capacity(0);
  status.mutable_drain_time_left()->set_seconds(2);
  status.mutable_drain_time_left()->set_nanos(440'000'000);
  EXPECT_EQ(StatusText(status),
            "worker 0.1.0, draining, 2.4 s left, up for 2h1m5s: 3 sessions, 12 tasks\n");
  status.clear_drain_time_left();
  EXPECT_EQ(StatusText(status), "worker 0.1.0, drained, up for 2h1m5s: 3 sessions, 12 tasks\n");
}

TEST(SessionsText, HasAColumnForEach) {
  v1::ListSessionsResponse sessions;
  EXPECT_EQ(SessionsText(sessions), "no sessions\n");
  const auto add = [&](const std::string& id, const std::string& profile, std::uint64_t epoch,
                       std::int64_t age) {
    v1::SessionInfo& session = *sessions.add_sessions();
    session.set_session_id(id);
    session.set_profile(profile);
    session.set_epoch(epoch);
    session.mutable_age()->set_seconds(age);
  };
  add("sess_long", "interview", 1, 65);
  add("sess_1", "a", 12, 0);
  EXPECT_EQ(SessionsText(sessions),
            "sess_long  interview  epoch 1  1m5s\n"
            "sess_1     a          epoch 12  0s\n");
}

}  // namespace
}  // namespace voicebridge::ctl
