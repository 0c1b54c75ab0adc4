// What a session leaves in the store, and what is said of it when the store does not take it.
#include "bridge_worker/session/session_record.h"

#include <gmock/gmock.h>

#include "tests/component/session/stored_fixture.h"

namespace voicebridge::worker {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

class SessionRecordTest : public StoredTest {
 protected:
  SessionRecordTest() : lost(registry), unsaved(io.get_executor(), lost) {}

  // Granted, and its writer runs.
  std::shared_ptr<SessionRecord> Running(SessionOwner of) {
    auto record =
        std::make_shared<SessionRecord>(store, std::move(of), "interview", clock, *logger, unsaved,
                                        io.get_executor(), [this] { ++superseded; });
    EXPECT_TRUE(Await(record->Acquire(In(seconds(5)))).ok());
    EXPECT_TRUE(tasks.TrySpawn("record", SessionRecord::Run(record)));
    RunWhile([this] { return unsaved.empty(); });
    return record;
  }

  static v1::SnapshotDelta ItemDelta(const std::string& id) {
    v1::SnapshotDelta delta;
    v1::ConversationItem& item = *delta.add_upserted_items()->mutable_item();
    item.set_id(id);
    item.set_item_json("{}");
    return delta;
  }

  void RunUntilWritten() {
    RunWhile([this] { return !unsaved.empty(); });
  }

  prometheus::Registry registry;
  LostRecords lost;
  UnsavedRecords unsaved;
  int superseded = 0;
};

TEST_F(SessionRecordTest, IsNamedAsUnsavedUntilItsEndIsWritten) {
  const auto record = Running(owner);
  record->Note(ItemDelta("item_1"));
  RunWhile([this] { return store.pending() > 0; });
  EXPECT_THAT(unsaved.names(), ElementsAre("sess_1"));
  record->Close("client_closed");
  RunUntilWritten();
  EXPECT_THAT(unsaved.names(), IsEmpty());
  EXPECT_EQ(lost.CountOf(RecordKind::kSession), 0);
}

TEST_F(SessionRecordTest, IsWrittenOnceAStoreThatIsAwayIsBack) {
  const auto record = Running(owner);
  switches->SetAway(true);
  record->Note(ItemDelta("item_1"));
  record->Close("client_closed");
  RunWhile([this] { return store.available(); });
  EXPECT_THAT(unsaved.names(), ElementsAre("sess_1"));
  switches->SetAway(false);
  RunUntilWritten();
  EXPECT_THAT(unsaved.names(), IsEmpty());
  EXPECT_EQ(lost.CountOf(RecordKind::kSession), 0);
}

TEST_F(SessionRecordTest, ThatTheStoreRefusesIsCountedAsLostAndNamed) {
  const auto record = Running(owner);
  switches->SetFailing(true);
  record->Note(ItemDelta("item_1"));
  RunUntilWritten();
  EXPECT_EQ(lost.CountOf(RecordKind::kSession), 1);
  EXPECT_THAT(unsaved.names(), ElementsAre("sess_1"));
  record->Note(ItemDelta("item_2"));
  record->Close("client_closed");
  EXPECT_EQ(lost.CountOf(RecordKind::kSession), 1) << "once";
  EXPECT_EQ(superseded, 0);
}

TEST_F(SessionRecordTest, IsWrittenOnceAStoreThatWasFullHasRoom) {
  const auto record = Running(owner);
  switches->SetFull(true);
  record->Note(ItemDelta("item_1"));
  const int before = switches->calls();
  RunWhile([this, before] { return switches->calls() == before || store.pending() > 0; });
  record->Note(ItemDelta("item_2"));
  v1::SnapshotDelta deletion;
  deletion.add_deleted_item_ids("item_1");
  record->Note(deletion);
  record->Close("client_closed");
  EXPECT_THAT(unsaved.names(), ElementsAre("sess_1"));
  switches->SetFull(false);
  RunUntilWritten();
  EXPECT_EQ(lost.CountOf(RecordKind::kSession), 0);
  EXPECT_THAT(unsaved.names(), IsEmpty());
  EXPECT_THAT(switches->written(), ElementsAre("item_2"));
}

TEST_F(SessionRecordTest, OfASessionThatWasTakenOverIsNotLost) {
  const auto record = Running(owner);
  const SessionOwner successor{"sess_1", 2, "worker_2"};
  const auto grant = Ask<absl::Status>(
      [successor](Store& opened) { return opened.AcquireSession(successor, "interview"); });
  ASSERT_TRUE(grant.ok());
  record->Note(ItemDelta("item_1"));
  RunUntilWritten();
  EXPECT_EQ(superseded, 1);
  EXPECT_EQ(lost.CountOf(RecordKind::kSession), 0);
  EXPECT_THAT(unsaved.names(), IsEmpty());
}

}  // namespace
}  // namespace voicebridge::worker
