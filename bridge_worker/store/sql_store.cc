#include "bridge_worker/store/sql_store.h"

#include <limits>
#include <utility>

#include "bridge_worker/store/migrations.h"
#include "common/core/ids.h"
#include "common/core/status.h"

namespace voicebridge::worker {
namespace {

absl::Status CheckEpoch(const SessionOwner& owner) {
  if (owner.epoch > static_cast<std::uint64_t>(std::numeric_limits<std::int64_t>::max())) {
    return InvalidArgument("epoch: expected less than 2^63, got {}", owner.epoch);
  }
  return absl::OkStatus();
}

std::int64_t EpochOf(const SessionOwner& owner) { return static_cast<std::int64_t>(owner.epoch); }

// Nothing is wrong with the database, and others in the same transaction may go on.
bool IsOfTheSession(const absl::Status& status) {
  return absl::IsAborted(status) || absl::IsNotFound(status) || absl::IsInvalidArgument(status);
}

absl::Status NoSession() { return absl::NotFoundError("the store has no such session"); }

}  // namespace

absl::Status SqlStore::Open() {
  absl::Status connected = database_->Connect();
  return connected.ok() ? Migrate(*database_, Migrations()) : connected;
}

absl::Status SqlStore::InTransaction(Durability durability, const Work& work) {
  absl::Status status = database_->Begin(durability);
  if (!status.ok()) {
    return status;
  }
  status = work();
  if (status.ok()) {
    status = database_->Commit();
  }
  if (!status.ok()) {
    database_->Rollback();
  }
  return status;
}

absl::Status SqlStore::AcquireSession(const SessionOwner& owner, std::string_view profile) {
  absl::Status valid = CheckEpoch(owner);
  if (!valid.ok()) {
    return valid;
  }
  // Not only the next epoch is higher: an attachment that failed before its grant leaves a gap.
  return InTransaction(Durability::kPower, [&]() -> absl::Status {
    const absl::StatusOr<SqlResult> granted = database_->Execute(
        "INSERT INTO sessions (id, profile, epoch, worker_id, created_ms, written_ms) "
        "VALUES ($1, $2, $3, $4, {wall_ms}, {wall_ms}) "
        "ON CONFLICT (id) DO UPDATE SET epoch = excluded.epoch, worker_id = excluded.worker_id, "
        "  written_ms = excluded.written_ms, end_reason = CASE "
        "    WHEN sessions.epoch = excluded.epoch THEN sessions.end_reason ELSE NULL END "
        "WHERE sessions.epoch < excluded.epoch "
        "  OR (sessions.epoch = excluded.epoch AND sessions.worker_id = excluded.worker_id)",
        {owner.session_id, profile, EpochOf(owner), owner.worker_id});
    if (granted.ok() && granted->changed == 0) {
      return absl::AbortedError("another worker holds this epoch of the session or a newer one");
    }
    return granted.status();
  });
}

absl::Status SqlStore::CheckOwner(const SessionOwner& owner) {
  absl::Status valid = CheckEpoch(owner);
  if (!valid.ok()) {
    return valid;
  }
  const absl::StatusOr<SqlResult> touched = database_->Execute(
      "UPDATE sessions SET written_ms = {wall_ms} WHERE id = $1 AND epoch = $2 AND worker_id = $3",
      {owner.session_id, EpochOf(owner), owner.worker_id});
  if (!touched.ok() || touched->changed == 1) {
    return touched.status();
  }
  const absl::StatusOr<SqlResult> found =
      database_->Execute("SELECT 1 FROM sessions WHERE id = $1", {owner.session_id});
  if (!found.ok()) {
    return found.status();
  }
  return found->rows.empty() ? NoSession()
                             : absl::AbortedError("the session has another owner by now");
}

std::vector<absl::Status> SqlStore::EndSessions(const std::vector<SessionEnd>& ends) {
  std::vector<absl::Status> outcomes;
  const absl::Status status = InTransaction(Durability::kPower, [&]() -> absl::Status {
    for (const SessionEnd& end : ends) {
      outcomes.push_back(EndOne(end));
      if (!outcomes.back().ok() && !IsOfTheSession(outcomes.back())) {
        return outcomes.back();
      }
    }
    return absl::OkStatus();
  });
  if (!status.ok()) {
    outcomes.assign(ends.size(), status);
  }
  return outcomes;
}

absl::Status SqlStore::EndOne(const SessionEnd& end) {
  absl::Status owned = CheckOwner(end.owner);
  if (!owned.ok()) {
    return owned;
  }
  return database_
      ->Execute("UPDATE sessions SET end_reason = $2 WHERE id = $1",
                {end.owner.session_id, std::string_view(end.reason)})
      .status();
}

// Items alone are not worth a wait for the disk: they arrive with every turn, and the next tool
// call or assessment takes all that was committed before it along.
absl::Status SqlStore::WriteItems(const SessionOwner& owner, const std::vector<StoredItem>& items,
                                  const std::vector<std::string>& deleted_item_ids) {
  return InTransaction(Durability::kProcess, [&]() -> absl::Status {
    absl::Status status = CheckOwner(owner);
    for (auto item = items.begin(); status.ok() && item != items.end(); ++item) {
      status = database_
                   ->Execute(
                       "INSERT INTO items (session_id, item_id, previous_item_id, item_json, "
                       "  transcript, transcript_state) VALUES ($1, $2, $3, $4, $5, $6) "
                       "ON CONFLICT (session_id, item_id) DO UPDATE SET "
                       "  previous_item_id = excluded.previous_item_id, "
                       "  item_json = excluded.item_json, transcript = excluded.transcript, "
                       "  transcript_state = excluded.transcript_state",
                       {owner.session_id, item->item_id, item->previous_item_id, item->item_json,
                        item->transcript, std::int64_t{item->transcript_state}})
                   .status();
    }
    for (auto id = deleted_item_ids.begin(); status.ok() && id != deleted_item_ids.end(); ++id) {
      status = database_
                   ->Execute("DELETE FROM items WHERE session_id = $1 AND item_id = $2",
                             {owner.session_id, *id})
                   .status();
    }
    return status;
  });
}

std::string SqlStore::StartIdFor(const SessionOwner& owner, const ToolCallStart& call) {
  if (unanswered_start_ && unanswered_start_->session_id == owner.session_id &&
      unanswered_start_->call_id == call.call_id) {
    return unanswered_start_->start_id;
  }
  return NewId("start");
}

absl::StatusOr<ToolCallRecord> SqlStore::StartToolCall(const SessionOwner& owner,
                                                       const ToolCallStart& call) {
  const std::string start_id = StartIdFor(owner, call);
  ToolCallRecord record;
  const absl::Status status = InTransaction(Durability::kPower, [&]() -> absl::Status {
    absl::Status owned = CheckOwner(owner);
    return owned.ok() ? InsertToolCall(owner, call, start_id, record) : owned;
  });
  unanswered_start_.reset();
  if (absl::IsUnavailable(status)) {
    unanswered_start_ = UnansweredStart{owner.session_id, call.call_id, start_id};
  }
  if (!status.ok()) {
    return status;
  }
  return record;
}

absl::Status SqlStore::InsertToolCall(const SessionOwner& owner, const ToolCallStart& call,
                                      const std::string& start_id, ToolCallRecord& record) {
  const absl::StatusOr<SqlResult> inserted = database_->Execute(
      "INSERT INTO tool_calls (session_id, call_id, start_id, name, arguments_json) "
      "VALUES ($1, $2, $3, $4, $5) ON CONFLICT (session_id, call_id) DO NOTHING",
      {owner.session_id, call.call_id, start_id, call.name, call.arguments_json});
  if (!inserted.ok()) {
    return inserted.status();
  }
  const absl::StatusOr<SqlResult> known = database_->Execute(
      "SELECT start_id, output FROM tool_calls WHERE session_id = $1 AND call_id = $2",
      {owner.session_id, call.call_id});
  if (known.ok()) {
    const SqlRow& row = known->rows.at(0);
    record.is_new = row[0] == start_id;
    record.output = row[1];
  }
  return known.status();
}

absl::Status SqlStore::FinishToolCall(const SessionOwner& owner, std::string_view call_id,
                                      std::string_view output) {
  return InTransaction(Durability::kPower, [&]() -> absl::Status {
    absl::Status owned = CheckOwner(owner);
    if (!owned.ok()) {
      return owned;
    }
    const absl::StatusOr<SqlResult> finished = database_->Execute(
        "UPDATE tool_calls SET output = coalesce(output, $3) WHERE session_id = $1 AND call_id = "
        "$2",
        {owner.session_id, call_id, output});
    if (finished.ok() && finished->changed == 0) {
      return absl::NotFoundError("the store has no start of this tool call");
    }
    return finished.status();
  });
}

absl::Status SqlStore::DeleteSession(std::string_view session_id) {
  return InTransaction(Durability::kPower, [&]() -> absl::Status {
    const absl::StatusOr<SqlResult> deleted =
        database_->Execute("DELETE FROM sessions WHERE id = $1", {session_id});
    return deleted.ok() && deleted->changed == 0 ? NoSession() : deleted.status();
  });
}

absl::StatusOr<std::size_t> SqlStore::DeleteOlderThan(Duration age) {
  const std::int64_t age_ms = std::chrono::duration_cast<milliseconds>(age).count();
  std::size_t deleted = 0;
  const absl::Status status = InTransaction(Durability::kPower, [&]() -> absl::Status {
    const absl::StatusOr<SqlResult> result = database_->Execute(
        "WITH expired AS MATERIALIZED (SELECT id FROM sessions WHERE written_ms <= {wall_ms} - $1 "
        "  AND NOT EXISTS (SELECT 1 FROM assessments "
        "    WHERE assessments.session_id = sessions.id AND assessments.state IN (0, 1)) "
        "  ORDER BY written_ms LIMIT $2 {skip_locked}) "
        "DELETE FROM sessions WHERE id IN (SELECT id FROM expired)",
        {age_ms, std::int64_t{kDeletedMax}});
    deleted = result.ok() ? result->changed : 0;
    return result.status();
  });
  if (!status.ok()) {
    return status;
  }
  return deleted;
}

}  // namespace voicebridge::worker
