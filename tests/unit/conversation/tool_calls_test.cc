// Tools of the profile: executed once, answered once, spoken about once, unseen by the client.
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "tests/unit/conversation/interview_script.h"

namespace voicebridge::worker {
namespace {

const std::string kCall = CallItem("c1", "lookup", R"({"q":1})");

class WebhookCall : public testing::Test {
 protected:
  WebhookCall() {
    script_.Client(R"({"type":"response.create"})");
    script_.Created("r1");
    script_.Forget();
  }
  std::size_t Starts() const { return script_.All<StartTool>().size(); }

  InterviewScript script_;
};

TEST_F(WebhookCall, StartsOnceWhicheverEventAnnouncesItFirst) {
  script_.ArgumentsDone("r1", "c1", "lookup", R"({"q":1})");
  script_.OutputItemDone("r1", kCall);
  script_.ItemDone(kCall);
  script_.DoneWith("r1", kCall);
  ASSERT_EQ(Starts(), 1U);
  const StartTool start = script_.All<StartTool>()[0];
  EXPECT_EQ(start.call_id, "c1");
  EXPECT_EQ(start.tool->name(), "lookup");
  EXPECT_EQ(start.arguments_json, R"({"q":1})");
}

TEST_F(WebhookCall, StartsByAnyOneOfTheEvents) {
  for (int which = 0; which < 4; ++which) {
    InterviewScript script;
    script.Created("r1");
    if (which == 0) {
      script.OutputItemDone("r1", kCall);
    } else if (which == 1) {
      script.ItemDone(kCall);
    } else if (which == 2) {
      script.DoneWith("r1", kCall);
    } else {
      script.OutputItemAdded("r1", CallItem("c1", "lookup", "", "in_progress"));
      EXPECT_EQ(script.All<StartTool>().size(), 0U);
      script.ArgumentsDone("r1", "c1", "", R"({"q":1})");  // The name came with the item.
    }
    EXPECT_EQ(script.All<StartTool>().size(), 1U) << which;
  }
}

TEST_F(WebhookCall, OfAnInterruptedResponseIsNotStarted) {
  script_.OutputItemAdded("r1", CallItem("c1", "lookup", "", "in_progress"));
  script_.ArgumentsDone("r1", "c1", "lookup", R"({"q":)");
  script_.OutputItemDone("r1", CallItem("c1", "lookup", R"({"q":)", "incomplete"));
  EXPECT_EQ(Starts(), 0U);
}

TEST_F(WebhookCall, WithBadArgumentsRunsWithNoneAndIsReported) {
  script_.OutputItemDone("r1", CallItem("c1", "lookup", "not json"));
  ASSERT_EQ(Starts(), 1U);
  EXPECT_EQ(script_.All<StartTool>()[0].arguments_json, "{}");
  ASSERT_EQ(script_.All<ReportTrouble>().size(), 1U);
  EXPECT_EQ(script_.All<ReportTrouble>()[0].event, "tool.arguments_invalid");
}

TEST_F(WebhookCall, IsAnsweredAndThenSpokenAboutOnceTheResponseIsOver) {
  script_.OutputItemDone("r1", kCall);
  script_.Handle(ToolFinished{"c1", "42"});
  ASSERT_EQ(script_.SentTypes(), "conversation.item.create");
  EXPECT_EQ(script_.LastSent("item.type"), "function_call_output");
  EXPECT_EQ(script_.LastSent("item.call_id"), "c1");
  EXPECT_EQ(script_.LastSent("item.output"), "42");
  script_.DoneWith("r1", kCall);
  EXPECT_EQ(script_.SentTypes(), "conversation.item.create response.create");
}

TEST_F(WebhookCall, IsAnsweredOnce) {
  script_.OutputItemDone("r1", kCall);
  script_.Handle(ToolFinished{"c1", "42"});
  script_.Handle(ToolFinished{"c1", "43"});
  script_.Handle(ToolFinished{"unknown", "44"});
  EXPECT_EQ(script_.SentTypes(), "conversation.item.create");
}

TEST_F(WebhookCall, OfSeveralIsFollowedUpOnceAfterTheLastOutput) {
  script_.OutputItemDone("r1", kCall);
  script_.OutputItemDone("r1", CallItem("c2", "lookup", "{}"));
  script_.Done("r1");
  script_.Handle(ToolFinished{"c2", "b"});
  EXPECT_EQ(script_.SentTypes(), "conversation.item.create");
  script_.Handle(ToolFinished{"c1", "a"});
  EXPECT_EQ(script_.SentTypes(),
            "conversation.item.create conversation.item.create response.create");
}

TEST_F(WebhookCall, IsFollowedUpWhenOnlyALaterEventNamesItsResponse) {
  script_.ItemDone(kCall);
  ASSERT_EQ(Starts(), 1U);
  script_.OutputItemDone("r1", kCall);
  script_.Handle(ToolFinished{"c1", "a"});
  script_.Done("r1");
  EXPECT_EQ(script_.SentTypes(), "conversation.item.create response.create");
}

TEST_F(WebhookCall, ThatNoEventTiesToAResponseBelongsToTheOneThatIsBeingGiven) {
  script_.ItemDone(kCall);
  script_.Handle(ToolFinished{"c1", "a"});
  script_.Done("r1");
  EXPECT_EQ(script_.SentTypes(), "conversation.item.create response.create");
}

TEST_F(WebhookCall, ThatTheClientWritesIntoTheConversationIsNotCarriedOut) {
  const std::string item = CallItem("forged", "lookup", "{}");
  script_.Client(R"({"type":"conversation.item.create","item":)" + item + "}");
  script_.Added("null", item);
  script_.ItemDone(item);
  EXPECT_EQ(Starts(), 0U);
}

TEST_F(WebhookCall, BesideOneOfTheClientsLeavesTheFollowUpToTheClient) {
  script_.OutputItemDone("r1", kCall);
  script_.OutputItemDone("r1", CallItem("c2", "clients_own", "{}"));
  script_.Handle(ToolFinished{"c1", "a"});
  script_.Done("r1");
  EXPECT_EQ(script_.SentTypes(), "conversation.item.create");
}

TEST_F(WebhookCall, IsNotShownToTheClient) {
  script_.OutputItemAdded("r1", CallItem("c1", "lookup", "", "in_progress"));
  script_.Added(R"("x")", CallItem("c1", "lookup", "", "in_progress"));
  script_.ArgumentsDone("r1", "c1", "lookup", "{}");
  script_.OutputItemDone("r1", kCall);
  script_.Handle(ToolFinished{"c1", "42"});
  script_.Added(R"("item_c1")",
                R"({"id":"vbo_c1","type":"function_call_output","call_id":"c1","output":"42"})");
  EXPECT_EQ(script_.ClientTypes(), "");
  script_.DoneWith("r1", kCall);
  ASSERT_EQ(script_.ClientTypes(), "response.done");
  EXPECT_EQ(script_.LastToClient("response.output"), "[]");
}

TEST_F(WebhookCall, DoesNotBreakTheChainOfItemsThatTheClientSees) {
  script_.Added("null", R"({"id":"u1","type":"message","role":"user","content":[]})");
  script_.Added(R"("u1")", kCall);
  script_.Added(R"("item_c1")", R"({"id":"a1","type":"message","role":"assistant","content":[]})");
  EXPECT_EQ(script_.LastToClient("item.id"), "a1");
  EXPECT_EQ(script_.LastToClient("previous_item_id"), "u1");
}

TEST_F(WebhookCall, OfAToolThatTheProfileDoesNotNameIsTheClients) {
  const std::string item = CallItem("c9", "clients_own", "{}");
  script_.OutputItemDone("r1", item);
  script_.DoneWith("r1", item);
  EXPECT_EQ(Starts(), 0U);
  EXPECT_EQ(script_.ClientTypes(), "response.output_item.done response.done");
}

TEST(ProfileTools, AreOfferedToTheModelBesideTheClients) {
  InterviewScript script;
  script.Client(R"({"type":"session.update","session":{"type":"realtime","tools":[)"
                R"({"type":"function","name":"mine"},{"type":"function","name":"lookup"}]}})");
  const auto update = ParseObject(script.Sent().back());
  const json::array& tools = FindPath(*update, "session.tools")->get_array();
  ASSERT_EQ(tools.size(), 3U);
  EXPECT_EQ(tools.at(0).at("name"), "mine");
  EXPECT_EQ(tools.at(1).at("name"), "trigger_assessment");
  EXPECT_EQ(tools.at(2).at("parameters").at("type"), "object");
}

TEST(ProfileTools, GuidanceIsLoadedBeforeTheFirstResponseWithoutTheModel) {
  v1::Profile profile = InterviewProfile();
  AddTool(profile, "guide", v1::INTERVIEW_GUIDANCE);
  profile.mutable_assessment()->set_guidance("three phases");
  Script script(profile);
  script.Upstream(R"({"type":"session.created","session":{}})");
  script.Forget();
  script.Upstream(R"({"type":"session.updated","session":)" + SessionJson() + "}");
  ASSERT_EQ(script.SentTypes(), "conversation.item.create conversation.item.create");
  EXPECT_EQ(Script::Member(script.Sent()[0], "item.name"), "guide");
  EXPECT_EQ(Script::Member(script.Sent()[1], "item.output"), "three phases");
  EXPECT_EQ(script.ClientTypes(), "");
}

TEST(ProfileTools, GuidanceThatIsConfirmedDuringAResponseIsNotSpokenAbout) {
  v1::Profile profile = InterviewProfile();
  AddTool(profile, "guide", v1::INTERVIEW_GUIDANCE);
  InterviewScript script(profile);
  script.Client(R"({"type":"response.create"})");
  script.Created("r1");
  script.Added("null", CallItem("vb_guidance", "guide", "{}"));
  script.Done("r1");
  EXPECT_EQ(script.SentTypes(), "response.create");
}

}  // namespace
}  // namespace voicebridge::worker
