#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "bridge_worker/store/postgres_connection.h"
#include "bridge_worker/store/postgres_error.h"
#include "bridge_worker/store/store.h"

namespace voicebridge::worker {
namespace {

using ::testing::Contains;
using ::testing::HasSubstr;
using ::testing::Not;
using ::testing::Pair;

TEST(StoreUrl, NamesOneOfTheTwoDatabases) {
  for (const char* url : {"sqlite:store.db", "sqlite:/var/lib/voicebridge/store.db",
                          "sqlite::memory:", "postgresql://user:pass@host:5432/name",
                          "postgres://host/name?sslmode=verify-full", "postgresql://"}) {
    EXPECT_TRUE(MakeStore(url).ok()) << url;
  }
}

TEST(StoreUrl, AnythingElseIsRefusedWithoutRepeatingIt) {
  for (const char* url : {"", "sqlite:", "sqlite", "store.db", "mysql://user:s3cret@host/name",
                          "postgresql://user:s3cret%Z@host/name", "postgresql://user:s3cret@[::1",
                          "postgresql://host/name?s3cret=1"}) {
    const auto store = MakeStore(url);
    ASSERT_EQ(store.status().code(), absl::StatusCode::kInvalidArgument) << url;
    const std::string message(store.status().message());
    EXPECT_THAT(message, HasSubstr("expected"));
    EXPECT_THAT(message, Not(HasSubstr("s3cret")));
  }
}

TEST(StoreUrl, OptionsOfTheUrlStandAndTheOthersAreOurs) {
  const auto target = ParsePostgresUrl(
      "postgresql://user:s3cret@host/name?application_name=mine&client_encoding=LATIN1");
  ASSERT_TRUE(target.ok());
  EXPECT_EQ(target->password, "s3cret");
  EXPECT_THAT(target->options, Contains(Pair("application_name", "mine")));
  EXPECT_THAT(target->options, Contains(Pair("tcp_user_timeout", "5000")));
  EXPECT_THAT(target->options, Contains(Pair("client_encoding", "UTF8")));
}

TEST(StoreUrl, AMessageIsOneLineWithoutThePassword) {
  EXPECT_EQ(MessageWithout("s3cret", "no s3cret here,\nnor s3cret\n"), "no *** here, nor ***");
  EXPECT_EQ(MessageWithout("", "no password\n"), "no password");
}

}  // namespace
}  // namespace voicebridge::worker
