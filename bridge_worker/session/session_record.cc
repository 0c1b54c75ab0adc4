#include "bridge_worker/session/session_record.h"

#include <algorithm>
#include <utility>

#include "common/core/status.h"

namespace voicebridge::worker {
namespace {

// A store that is away for longer than this has lost the session's items, and says so.
constexpr Duration kWriteMax = seconds(600);
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
  for (const std::string& id : delta.deleted_item_ids()) {
    std::erase_if(upserted_, [&](const StoredItem& item) { return item.item_id == id; });
    deleted_.push_back(id);
  }
  for (const v1::PlacedItem& placed : delta.upserted_items()) {
    const v1::ConversationItem& item = placed.item();
    auto known = std::find_if(upserted_.begin(), upserted_.end(),
                              [&](const StoredItem& each) { return each.item_id == item.id(); });
    if (known == upserted_.end()) {
      known = upserted_.insert(known, StoredItem{item.id(), {}, {}, {}, 0});
    }
    known->previous_item_id = placed.previous_item_id();
    known->item_json = item.item_json();
    known->transcript = item.transcript();
    known->transcript_state = item.transcript_state();
  }
  if (!upserted_.empty() || !deleted_.empty()) {
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
    status = co_await Acquire(WriteDeadline());
  }
  bool over = false;
  while (status.ok() && !over) {
    const auto has_work = [this] { return closed_ || !upserted_.empty() || !deleted_.empty(); };
    const bool woken = co_await changed_.WaitUntil(has_work);
    over = !woken || closed_;
    status = co_await WriteChanges();
  }
  if (status.ok()) {
    status = co_await WriteEnd();
  }
  co_return status;
}

Awaitable<absl::Status> SessionRecord::WriteChanges() {
  if (upserted_.empty() && deleted_.empty()) {
    co_return absl::OkStatus();
  }
  std::vector<StoredItem> items = std::exchange(upserted_, {});
  const std::size_t bytes = SizeOf(items);
  std::function<absl::Status(Store&)> job = [owner = owner_, items = std::move(items),
                                             deleted = std::exchange(deleted_, {})](Store& store) {
    return store.WriteItems(owner, items, deleted);
  };
  co_return co_await store_.Do<absl::Status>(std::move(job), bytes, WriteDeadline());
}

Awaitable<absl::Status> SessionRecord::WriteEnd() {
  std::function<absl::Status(Store&)> job = store_.ends().Add({owner_, end_reason_});
  co_return co_await store_.Do<absl::Status>(std::move(job), kRecordOverhead, WriteDeadline());
}

void SessionRecord::GiveUp(const absl::Status& why) {
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
