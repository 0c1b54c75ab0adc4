#include "bridge_worker/session/session_record.h"

#include <algorithm>
#include <cstdlib>
#include <utility>

#include "common/core/status.h"

namespace voicebridge::worker {
namespace {

// A store that is away for longer than this has lost the session's items, and says so.
constexpr Duration kWriteMax = seconds(600);
// Between tries where the store has no room: its queue is full, or its disk.
constexpr Duration kFullPause = seconds(1);
constexpr std::size_t kRecordOverhead = 256;

std::size_t SizeOf(const std::vector<StoredItem>& items) {
  std::size_t bytes = kRecordOverhead;
  for (const StoredItem& item : items) {
    bytes += item.item_json.size() + item.transcript.size() + kRecordOverhead;
  }
  return bytes;
}

}  // namespace

SessionRecord::SessionRecord(StoreThread& store, SessionOwner owner, std::string profile,
                             Clock& clock, Logger& logger, UnsavedRecords& unsaved,
                             const net::any_io_executor& executor, OnSuperseded on_superseded)
    : store_(store),
      owner_(std::move(owner)),
      profile_(std::move(profile)),
      clock_(clock),
      logger_(LoggerOfTrace(logger, owner_.traceparent)),
      unsaved_(unsaved),
      on_superseded_(std::move(on_superseded)),
      changed_(executor) {}

Deadline SessionRecord::WriteDeadline() const { return Deadline::After(clock_.Now(), kWriteMax); }

Awaitable<absl::Status> SessionRecord::Acquire(Deadline deadline) {
  std::function<absl::Status(Store&)> job = [owner = owner_, profile = profile_](Store& store) {
    return store.AcquireSession(owner, profile);
  };
  const absl::Status granted =
      co_await store_.Do<absl::Status>(std::move(job), kRecordOverhead, deadline);
  granted_ = granted.ok();
  co_return granted;
}

void SessionRecord::Note(const v1::SnapshotDelta& delta) {
  if (given_up_) {
    return;
  }
  std::vector<StoredItem>& upserted = changes_.upserted;
  for (const std::string& id : delta.deleted_item_ids()) {
    std::erase_if(upserted, [&](const StoredItem& item) { return item.item_id == id; });
    changes_.deleted.push_back(id);
  }
  for (const v1::PlacedItem& placed : delta.upserted_items()) {
    const v1::ConversationItem& item = placed.item();
    auto known = std::find_if(upserted.begin(), upserted.end(),
                              [&](const StoredItem& each) { return each.item_id == item.id(); });
    if (known == upserted.end()) {
      known = upserted.insert(known, StoredItem{item.id(), {}, {}, {}, 0});
    }
    known->previous_item_id = placed.previous_item_id();
    known->item_json = item.item_json();
    known->transcript = item.transcript();
    known->transcript_state = item.transcript_state();
  }
  if (!changes_.empty()) {
    changed_.Notify();
  }
}

void SessionRecord::Close(std::string_view reason) {
  end_reason_ = reason;
  closed_ = true;
  on_superseded_ = nullptr;
  changed_.Notify();
}

Awaitable<void> SessionRecord::Run(std::shared_ptr<SessionRecord> self) {
  const std::string& session_id = self->owner_.session_id;
  self->unsaved_.Enter(session_id);
  const absl::Status status = co_await self->WriteAll();
  // What another attachment has taken over is its owner's business.
  if (status.ok() || absl::IsAborted(status)) {
    self->unsaved_.Leave(session_id);
  } else {
    self->unsaved_.GiveUp(session_id);
  }
  if (!status.ok()) {
    self->GiveUp(status);
  }
}

Awaitable<absl::Status> SessionRecord::WriteAll() {
  absl::Status status;
  if (!granted_) {
    status = co_await WritePatiently(Step::kGrant);
  }
  bool over = false;
  while (status.ok() && !over) {
    const auto has_work = [this] { return closed_ || !changes_.empty(); };
    const bool woken = co_await changed_.WaitUntil(has_work);
    over = !woken || closed_;
    status = co_await WritePatiently(Step::kChanges);
  }
  if (status.ok()) {
    status = co_await WritePatiently(Step::kEnd);
  }
  co_return status;
}

// A store that has no room for the moment has refused nothing for good.
Awaitable<absl::Status> SessionRecord::WritePatiently(Step step) {
  const Deadline limit = WriteDeadline();
  absl::Status status = co_await Write(step);
  bool goes_on = absl::IsResourceExhausted(status);
  while (goes_on) {
    const bool slept = co_await clock_.SleepUntil(Deadline::After(clock_.Now(), kFullPause));
    goes_on = slept && !limit.HasPassed(clock_.Now());
    if (goes_on) {
      status = co_await Write(step);
      goes_on = absl::IsResourceExhausted(status);
    }
  }
  co_return status;
}

Awaitable<absl::Status> SessionRecord::Write(Step step) {
  switch (step) {
    case Step::kGrant:
      return Acquire(WriteDeadline());
    case Step::kChanges:
      return WriteChanges();
    case Step::kEnd:
      return WriteEnd();
  }
  std::abort();
}

Awaitable<absl::Status> SessionRecord::WriteChanges() {
  if (changes_.empty()) {
    co_return absl::OkStatus();
  }
  const auto changes = std::make_shared<const Changes>(std::exchange(changes_, {}));
  std::function<absl::Status(Store&)> job = [owner = owner_, changes](Store& store) {
    return store.WriteItems(owner, changes->upserted, changes->deleted);
  };
  absl::Status written =
      co_await store_.Do<absl::Status>(std::move(job), SizeOf(changes->upserted), WriteDeadline());
  if (absl::IsResourceExhausted(written)) {
    PutBack(*changes);
  }
  co_return written;
}

// Below what has changed since.
void SessionRecord::PutBack(const Changes& changes) {
  Changes merged = changes;
  for (const std::string& id : changes_.deleted) {
    std::erase_if(merged.upserted, [&](const StoredItem& item) { return item.item_id == id; });
    merged.deleted.push_back(id);
  }
  for (StoredItem& newer : changes_.upserted) {
    const auto known =
        std::find_if(merged.upserted.begin(), merged.upserted.end(),
                     [&](const StoredItem& each) { return each.item_id == newer.item_id; });
    if (known == merged.upserted.end()) {
      merged.upserted.push_back(std::move(newer));
    } else {
      *known = std::move(newer);
    }
  }
  changes_ = std::move(merged);
}

Awaitable<absl::Status> SessionRecord::WriteEnd() {
  std::function<absl::Status(Store&)> job = store_.ends().Add({owner_, end_reason_});
  co_return co_await store_.Do<absl::Status>(std::move(job), kRecordOverhead, WriteDeadline());
}

void SessionRecord::GiveUp(const absl::Status& why) {
  given_up_ = true;
  changes_ = Changes();
  if (absl::IsAborted(why) && on_superseded_ != nullptr) {
    const OnSuperseded on_superseded = std::exchange(on_superseded_, nullptr);
    on_superseded();
    return;
  }
  logger_.Warning(
      "record.lost",
      {{"session", owner_.session_id}, {"epoch", owner_.epoch}, {"reason", Message(why)}});
}

}  // namespace voicebridge::worker
