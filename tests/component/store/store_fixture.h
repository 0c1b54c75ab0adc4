// What the tests of the store share: a database of each kind, and stores that are connected to it.
#pragma once

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "bridge_worker/store/sql_database.h"
#include "bridge_worker/store/store.h"

namespace voicebridge::test {

std::filesystem::path NewTemporaryDirectory(
    const std::filesystem::path& parent = std::filesystem::temp_directory_path());
// In memory where there is such a place: these tests are not about the disk's speed.
std::filesystem::path NewFastDirectory();

// Asks again every few milliseconds, for at most ten seconds.
bool BecomesTrue(const std::function<bool()>& condition);

// A store that others use at the same time may be busy: the call is made again.
template <class Call>
auto Retried(Call call) {
  auto result = call();
  BecomesTrue([&] {
    const absl::Status status = [&] {
      if constexpr (std::is_same_v<decltype(result), absl::Status>) {
        return result;
      } else {
        return result.status();
      }
    }();
    if (!absl::IsUnavailable(status)) {
      return true;
    }
    result = call();
    return false;
  });
  return result;
}

// A database of a test, empty at its start.
class TestDatabase {
 public:
  virtual ~TestDatabase() = default;
  // Another connection to it.
  virtual std::unique_ptr<worker::SqlDatabase> Connect() = 0;
};

std::unique_ptr<TestDatabase> NewSqliteFile();
std::unique_ptr<TestDatabase> NewPostgresSchema();

struct Backend {
  std::string name;
  std::unique_ptr<TestDatabase> (*create)();
};

// Each test runs with both.
class StoreContract : public ::testing::TestWithParam<Backend> {
 protected:
  void SetUp() override;

  // Opened, with a connection of its own.
  std::unique_ptr<worker::Store> NewStore();

  std::vector<worker::SqlRow> Rows(const char* sql);
  void Change(const std::string& sql);

  worker::AssessmentRecord Create(const worker::SessionOwner& owner,
                                  Duration reserved = Duration::zero(),
                                  const std::string& request = R"({"reason":"ceiling"})");
  std::vector<worker::AssessmentRecord> Claim(Duration lease = hours(1), std::size_t count = 100,
                                              std::string_view only = "");
  // Created and claimed, for an hour.
  worker::AssessmentRecord CreateRunning(const worker::SessionOwner& owner);

  const worker::SessionOwner owner{"sess_1", 1, "worker_a"};
  const worker::SessionOwner successor{"sess_1", 2, "worker_b"};

  std::unique_ptr<TestDatabase> database;
  std::unique_ptr<worker::SqlDatabase> direct;
  std::unique_ptr<worker::Store> store;
};

std::string BackendName(const ::testing::TestParamInfo<Backend>& info);

MATCHER_P(Fails, code, "") {
  if constexpr (std::is_same_v<std::decay_t<decltype(arg)>, absl::Status>) {
    *result_listener << arg;
    return arg.code() == code;
  } else {
    *result_listener << arg.status();
    return arg.status().code() == code;
  }
}

inline auto IsOk() { return Fails(absl::StatusCode::kOk); }

}  // namespace voicebridge::test
