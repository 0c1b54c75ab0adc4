// A database whose connection breaks at a chosen place.
#pragma once

#include <memory>
#include <utility>

#include "bridge_worker/store/sql_database.h"
#include "common/core/status.h"

namespace voicebridge::test {

class LossyDatabase final : public worker::SqlDatabase {
 public:
  // Each happens once.
  struct Faults {
    int fail_statement = 0;           // The statement with this number, from 1, is not executed.
    bool lose_commit_answer = false;  // It is committed, but nobody is told.
  };

  LossyDatabase(std::unique_ptr<worker::SqlDatabase> database, Faults& faults)
      : database_(std::move(database)), faults_(faults) {}

  const worker::SqlDialect& dialect() const override { return database_->dialect(); }
  absl::Status Connect() override { return database_->Connect(); }
  absl::Status Begin(worker::Durability durability) override {
    return database_->Begin(durability);
  }
  absl::Status Commit() override {
    const absl::Status committed = database_->Commit();
    return std::exchange(faults_.lose_commit_answer, false) ? Unavailable("lost") : committed;
  }
  void Rollback() override { database_->Rollback(); }
  absl::StatusOr<worker::SqlResult> Execute(
      const char* sql, std::initializer_list<worker::SqlParameter> parameters) override {
    if (faults_.fail_statement > 0 && --faults_.fail_statement == 0) {
      return Unavailable("lost");
    }
    return database_->Execute(sql, parameters);
  }
  absl::Status ExecuteScript(const std::string& sql) override {
    return database_->ExecuteScript(sql);
  }

 private:
  std::unique_ptr<worker::SqlDatabase> database_;
  Faults& faults_;
};

}  // namespace voicebridge::test
