#include "common/core/snapshot.h"

#include <gtest/gtest.h>

#include <string>
#include <string_view>
#include <vector>

namespace voicebridge {
namespace {

v1::ConversationItem Item(const std::string& id, const std::string& item_json = "{}") {
  v1::ConversationItem item;
  item.set_id(id);
  item.set_item_json(item_json);
  return item;
}

v1::SnapshotDelta Delta(std::uint64_t version) {
  v1::SnapshotDelta delta;
  delta.set_version(version);
  return delta;
}

void Place(const std::string& previous, v1::ConversationItem item, v1::SnapshotDelta& delta) {
  v1::PlacedItem& placed = *delta.add_upserted_items();
  placed.set_previous_item_id(previous);
  *placed.mutable_item() = std::move(item);
}

std::string Order(const v1::ConversationSnapshot& snapshot) {
  std::string ids;
  for (const v1::ConversationItem& item : snapshot.items()) {
    ids += item.id();
  }
  return ids;
}

v1::ConversationSnapshot SnapshotOf(const std::vector<v1::ConversationItem>& items) {
  v1::ConversationSnapshot snapshot;
  for (const v1::ConversationItem& item : items) {
    *snapshot.add_items() = item;
  }
  return snapshot;
}

std::string Padded(std::string_view type, std::string_view call_id, std::size_t bytes) {
  return std::string(R"({"type":")") + std::string(type) + R"(","call_id":")" +
         std::string(call_id) + R"(","output":")" + std::string(bytes, 'x') + R"("})";
}

TEST(ApplyDelta, RefusesAnotherVersionThanTheNextAndChangesNothing) {
  v1::ConversationSnapshot snapshot;
  snapshot.set_version(4);
  for (const std::uint64_t version : {0U, 4U, 6U}) {
    v1::SnapshotDelta delta = Delta(version);
    Place("", Item("a"), delta);
    EXPECT_FALSE(ApplyDelta(delta, snapshot));
  }
  EXPECT_EQ(snapshot.version(), 4U);
  EXPECT_EQ(snapshot.items_size(), 0);
}

TEST(ApplyDelta, PlacesItemsByTheirPredecessor) {
  struct Case {
    std::string previous;
    std::string order;
  };
  for (const Case& c : {Case{"", "xab"}, Case{"a", "axb"}, Case{"b", "abx"}, Case{"?", "abx"}}) {
    v1::ConversationSnapshot snapshot = SnapshotOf({Item("a"), Item("b")});
    v1::SnapshotDelta delta = Delta(1);
    Place(c.previous, Item("x"), delta);
    ASSERT_TRUE(ApplyDelta(delta, snapshot));
    EXPECT_EQ(Order(snapshot), c.order) << "after '" << c.previous << "'";
  }
}

TEST(ApplyDelta, PlacesAnItemFirstWhenItsPredecessorWasCondensed) {
  v1::ConversationSnapshot snapshot = SnapshotOf({Item("b")});
  snapshot.set_items_condensed(1);
  v1::SnapshotDelta delta = Delta(1);
  Place("a", Item("x"), delta);
  ASSERT_TRUE(ApplyDelta(delta, snapshot));
  EXPECT_EQ(Order(snapshot), "xb");
}

TEST(ApplyDelta, ReplacesAKnownItemInPlace) {
  v1::ConversationSnapshot snapshot = SnapshotOf({Item("a"), Item("b"), Item("c")});
  v1::SnapshotDelta delta = Delta(1);
  Place("c", Item("b", "{\"new\":1}"), delta);
  ASSERT_TRUE(ApplyDelta(delta, snapshot));
  EXPECT_EQ(Order(snapshot), "abc");
  EXPECT_EQ(snapshot.items(1).item_json(), "{\"new\":1}");
}

TEST(ApplyDelta, DeletesBeforeItPlaces) {
  v1::ConversationSnapshot snapshot = SnapshotOf({Item("a"), Item("b")});
  v1::SnapshotDelta delta = Delta(1);
  delta.add_deleted_item_ids("b");
  delta.add_deleted_item_ids("never there");
  Place("a", Item("x"), delta);
  ASSERT_TRUE(ApplyDelta(delta, snapshot));
  EXPECT_EQ(Order(snapshot), "ax");
}

TEST(ApplyDelta, KeepsWhatNeverGoesBack) {
  v1::ConversationSnapshot snapshot;
  v1::SnapshotDelta delta = Delta(1);
  delta.set_assistant_audio_heard(true);
  delta.set_committed_through_sample(4800);
  delta.set_covers_seq(7);
  delta.mutable_settings()->set_session_json("{}");
  ASSERT_TRUE(ApplyDelta(delta, snapshot));
  ASSERT_TRUE(ApplyDelta(Delta(2), snapshot));
  EXPECT_TRUE(snapshot.assistant_audio_heard());
  EXPECT_EQ(snapshot.committed_through_sample(), 4800U);
  EXPECT_EQ(snapshot.settings().session_json(), "{}");
  EXPECT_EQ(snapshot.covers_seq(), 0U);
}

TEST(CondenseTo, LeavesASmallSnapshotAlone) {
  v1::ConversationSnapshot snapshot = SnapshotOf({Item("a"), Item("b")});
  CondenseTo(1000, snapshot);
  EXPECT_EQ(Order(snapshot), "ab");
  EXPECT_EQ(snapshot.items_condensed(), 0U);
}

TEST(CondenseTo, RemovesTheOldestItemsAndCountsThem) {
  const std::string big(400, 'x');
  v1::ConversationSnapshot snapshot =
      SnapshotOf({Item("a", big), Item("b", big), Item("c", big), Item("d", big)});
  CondenseTo(1000, snapshot);
  EXPECT_EQ(Order(snapshot), "cd");
  EXPECT_EQ(snapshot.items_condensed(), 2U);
  EXPECT_LE(snapshot.ByteSizeLong(), 1000U);
}

TEST(CondenseTo, RemovesACallAndItsOutputTogether) {
  const std::string big(400, 'x');
  v1::ConversationSnapshot snapshot =
      SnapshotOf({Item("c", Padded("function_call", "call_1", 300)), Item("u", big),
                  Item("o", Padded("function_call_output", "call_1", 300)), Item("n", big)});
  CondenseTo(1000, snapshot);
  EXPECT_EQ(Order(snapshot), "un");
  EXPECT_EQ(snapshot.items_condensed(), 2U);
}

TEST(CondenseTo, KeepsTheNewestItemAndTheCallThatItAnswers) {
  const std::string big(400, 'x');
  v1::ConversationSnapshot snapshot =
      SnapshotOf({Item("c", Padded("function_call", "call_1", 300)), Item("u", big),
                  Item("o", Padded("function_call_output", "call_1", 300))});
  CondenseTo(10, snapshot);
  EXPECT_EQ(Order(snapshot), "co");
  v1::ConversationSnapshot one = SnapshotOf({Item("a", big)});
  CondenseTo(10, one);
  EXPECT_EQ(Order(one), "a");
}

}  // namespace
}  // namespace voicebridge
