// A conversation that goes on from its snapshot, on a fresh upstream.
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "tests/unit/conversation/interview_script.h"

namespace voicebridge::worker {
namespace {

using Phase = v1::InterviewState;

// An interview with a spoken turn, an answer that was cut, and a call with its output.
v1::ConversationSnapshot Lived() {
  InterviewScript script;
  script.UserTurn("u1");
  script.Created("r1");
  script.Added(R"("u1")", R"({"id":"a1","type":"message","role":"assistant",)"
                          R"("status":"in_progress","content":[]})");
  script.Audio("r1", "a1", std::string(48'000, 's'));
  script.ItemDone(R"({"id":"a1","type":"message","role":"assistant","status":"completed",)"
                  R"("content":[{"type":"output_audio","transcript":"one two three four"}]})");
  script.Upstream(R"({"type":"conversation.item.truncated","item_id":"a1","content_index":0,)"
                  R"("audio_end_ms":500})");
  script.Done("r1");
  script.Created("r2");
  script.Added(R"("a1")", CallItem("c1", "lookup", R"({"q":1})"));
  script.ItemDone(CallItem("c1", "lookup", R"({"q":1})"));
  script.Added(R"("item_c1")",
               R"({"id":"vbo_c1","type":"function_call_output","call_id":"c1","output":"42"})");
  script.Done("r2");
  return script.conversation().snapshot();
}

class Restored : public testing::Test {
 protected:
  void Start(const v1::ConversationSnapshot& snapshot) {
    Connect(snapshot);
    Upstream(R"({"type":"session.updated","session":)" + SessionJson() + "}");
  }
  void Connect(const v1::ConversationSnapshot& snapshot) {
    ConversationConfig config;
    config.session_id = "vb_session";
    config.profile = InterviewProfile();
    config.snapshot = snapshot;
    conversation_.emplace(std::move(config), now_);
    Upstream(R"({"type":"session.created","session":{}})");
  }
  void Upstream(const std::string& text) {
    conversation_->Handle(UpstreamMessage{text}, now_, effects_);
  }
  std::vector<std::string> Items() const {
    std::vector<std::string> items;
    for (const Effect& effect : effects_) {
      const auto* sent = std::get_if<SendUpstream>(&effect);
      if (sent != nullptr && Script::Member(sent->json, "type") == "conversation.item.create") {
        items.push_back(sent->json);
      }
    }
    return items;
  }
  template <class E>
  int Count() const {
    int count = 0;
    for (const Effect& effect : effects_) {
      count += std::holds_alternative<E>(effect) ? 1 : 0;
    }
    return count;
  }

  TimePoint now_{};
  std::optional<Conversation> conversation_;
  Effects effects_;
};

TEST_F(Restored, TellsTheNewUpstreamWhatWasSaidUnderTheSameIds) {
  Start(Lived());
  const std::vector<std::string> items = Items();
  ASSERT_EQ(items.size(), 4U);
  EXPECT_EQ(Script::Member(items[0], "item.id"), "u1");
  EXPECT_NE(items[0].find(R"({"type":"input_text","text":"안녕하세요"})"), std::string::npos);
  EXPECT_EQ(Script::Member(items[1], "item.id"), "a1");
  EXPECT_NE(items[1].find(R"({"type":"output_text","text":"one two"})"), std::string::npos)
      << items[1];
  EXPECT_EQ(Script::Member(items[2], "item.type"), "function_call");
  EXPECT_EQ(Script::Member(items[3], "item.output"), "42");
  EXPECT_EQ(Count<BecomeReady>(), 1);
}

TEST_F(Restored, ExecutesNoCallAgainAndShowsTheClientNothingTwice) {
  Start(Lived());
  effects_.clear();
  Upstream(R"({"type":"conversation.item.added","previous_item_id":null,"item":{"id":"u1",)"
           R"("type":"message","role":"user","content":[]}})");
  Upstream(R"({"type":"conversation.item.done","previous_item_id":"a1","item":)" +
           CallItem("c1", "lookup", R"({"q":1})") + "}");
  EXPECT_EQ(Count<StartTool>(), 0);
  EXPECT_EQ(Count<SendClientEvent>(), 0);
}

TEST_F(Restored, TellsTheModelThatACallWithoutOutputIsLost) {
  v1::ConversationSnapshot snapshot = Lived();
  snapshot.mutable_items()->RemoveLast();
  Start(snapshot);
  const std::vector<std::string> items = Items();
  ASSERT_EQ(items.size(), 4U);
  EXPECT_EQ(Script::Member(items[3], "item.call_id"), "c1");
  EXPECT_NE(Script::Member(items[3], "item.output").find("unknown"), std::string::npos);
}

TEST_F(Restored, LeavesOutWhatNobodySaidOrHeard) {
  v1::ConversationSnapshot snapshot = Lived();
  snapshot.mutable_items(0)->clear_transcript();
  Start(snapshot);
  EXPECT_EQ(Script::Member(Items()[0], "item.id"), "a1");
}

TEST_F(Restored, GoesOnWithTheNextVersionOfTheSnapshot) {
  const v1::ConversationSnapshot snapshot = Lived();
  Start(snapshot);
  Upstream(R"({"type":"conversation.item.added","previous_item_id":"vbo_c1","item":{"id":"u2",)"
           R"("type":"message","role":"user","content":[{"type":"input_text","text":"x"}]}})");
  EXPECT_GT(conversation_->snapshot().version(), snapshot.version());
  EXPECT_EQ(conversation_->snapshot().items_size(), snapshot.items_size() + 1);
  EXPECT_GT(conversation_->snapshot().covers_seq(), snapshot.covers_seq());
}

TEST_F(Restored, KeepsThePhaseOfTheInterviewAndAsksForItsAssessmentAgain) {
  InterviewScript script;
  script.TriggerByTool();
  Start(script.conversation().snapshot());
  EXPECT_EQ(conversation_->snapshot().interview().phase(), Phase::ASSESSING);
  EXPECT_EQ(Count<StartAssessment>(), 1);
}

TEST_F(Restored, AnnouncesAnAssessmentThatWasNotAnnouncedBefore) {
  InterviewScript script;
  script.CallTrigger();
  Start(script.conversation().snapshot());
  EXPECT_EQ(Count<SendClientEvent>(), 0);
  conversation_->Handle(AssessmentUpdated{AssessmentStored{}}, now_, effects_);
  EXPECT_EQ(Count<SendClientEvent>(), 1);
}

TEST_F(Restored, AwaitsNothingOfAnInterviewBeforeTheUpstreamIsReady) {
  InterviewScript script;
  script.TriggerByTool();
  Connect(script.conversation().snapshot());
  conversation_->Handle(TimePassed{}, now_ + seconds(6), effects_);
  EXPECT_GT(conversation_->NextDeadline(), now_ + seconds(6)) << "or it is woken without end";
}

}  // namespace
}  // namespace voicebridge::worker
