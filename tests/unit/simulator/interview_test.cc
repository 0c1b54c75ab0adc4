// The model as an interviewer: questions, the call that ends it, tools of the session, the script.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <set>

#include "common/core/status.h"
#include "tests/unit/simulator/model_session.h"

namespace voicebridge::simulator {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

constexpr std::string_view kArgumentsDone = "response.function_call_arguments.done";
constexpr std::string_view kSaid = "response.output_audio_transcript.done";
constexpr std::string_view kTranscribed = "conversation.item.input_audio_transcription.completed";

std::string Tool(std::string_view name, std::string_view properties = "",
                 std::string_view required = "") {
  return fmt::format(R"({{"type":"function","name":"{}","parameters":{{"type":"object",
      "additionalProperties":false,"properties":{{{}}},"required":[{}]}}}})",
                     name, properties, required);
}

const std::string kTrigger = Tool(kTriggerTool, R"("reason":{"type":"string"})", R"("reason")");
const std::string kLookup =
    Tool("lookup_word", R"("word":{"type":"string"},"senses":{"type":"integer","minimum":2})",
         R"("word","senses")");

class Interview : public ModelSession {
 public:
  explicit Interview(const std::string& tools = kTrigger, ModelOptions options = {})
      : ModelSession(std::move(options)) {
    Send(R"({"type":"session.update","session":{"type":"realtime","tools":[)" + tools +
         R"(],"audio":{"input":{"turn_detection":null,
              "transcription":{"model":"gpt-4o-transcribe"}}}}})");
  }

  void Script(std::string_view text) {
    const absl::Status status = script.Add(*ParseObject(text));
    ASSERT_TRUE(status.ok()) << Message(status);
  }
  void Turn(std::string_view create = kCreate) {
    Append(Voice(500));
    Send(R"({"type":"input_audio_buffer.commit"})");
    Send(create);
    Advance(seconds(3));
  }
  void Answer(std::string_view output) {
    Send(R"({"type":"conversation.item.create","item":{"type":"function_call_output","call_id":")" +
         Text(kArgumentsDone, "call_id") + R"(","output":")" + std::string(output) + "\"}}");
  }
  std::vector<std::string> Calls() const {
    std::vector<std::string> names;
    for (const SentEvent* sent : All(kArgumentsDone)) {
      names.emplace_back(StringOr(sent->event, "name"));
    }
    return names;
  }
};

TEST(Interviewer, AsksUntilTheTurnThatEndsTheInterview) {
  Interview session;
  session.Turn();
  const std::string first = session.Text(kSaid, "transcript");
  EXPECT_THAT(first, HasSubstr("이름"));
  session.Turn();
  EXPECT_NE(session.Text(kSaid, "transcript"), first);
  EXPECT_THAT(session.Calls(), IsEmpty());
  session.Turn();
  EXPECT_THAT(session.Calls(), ElementsAre(kTriggerTool));
  EXPECT_EQ(session.All(kSaid).size(), 2U) << "the call comes instead of speech";
  const auto arguments = ParseObject(session.Text(kArgumentsDone, "arguments"));
  ASSERT_TRUE(arguments.ok());
  EXPECT_THAT(std::string(StringOr(*arguments, "reason")), HasSubstr("3번"));
  EXPECT_EQ(session.record.refused(), 0U);
}

TEST(Interviewer, EndsOnceAndAsksNothingMore) {
  Interview session;
  for (int turn = 0; turn < 3; ++turn) {
    session.Turn();
  }
  session.Answer(R"({\"status\":\"started\"})");
  session.Send(kCreate);
  session.Advance(seconds(3));
  EXPECT_THAT(session.Text(kSaid, "transcript"), HasSubstr(R"({"status":"started"})"));
  session.Turn();
  EXPECT_EQ(session.Calls().size(), 1U);
  EXPECT_THAT(session.Text(kSaid, "transcript"), testing::Not(HasSubstr("?")));
}

TEST(Interviewer, TriesAgainWhenItsCallWasCutOff) {
  Interview session;
  session.Turn();
  session.Turn();
  session.Append(Voice(500));
  session.Send(R"({"type":"input_audio_buffer.commit"})");
  session.Send(kCreate);
  session.Advance(milliseconds(35));
  session.Send(R"({"type":"response.cancel"})");
  EXPECT_EQ(session.Text("response.output_item.done", "item.status"), "incomplete");
  session.Turn();
  EXPECT_EQ(session.Text("response.output_item.done", "item.status"), "completed");
  EXPECT_EQ(session.Calls().size(), 2U);
}

TEST(Interviewer, CountsTheTurnsThatItIsTold) {
  ModelOptions options;
  options.interview_turns = 1;
  Interview by_flag(kTrigger, options);
  by_flag.Turn();
  EXPECT_EQ(by_flag.Calls().size(), 1U);
  options.interview_turns = 0;
  Interview never(kTrigger, options);
  std::set<std::string> questions;
  for (int turn = 0; turn < 9; ++turn) {
    never.Turn();
    questions.insert(never.Text(kSaid, "transcript"));
  }
  EXPECT_THAT(never.Calls(), IsEmpty());
  EXPECT_EQ(questions.size(), 9U) << "three of each phase";
  Interview by_script;
  by_script.Script(R"({"interview_turns":1})");
  by_script.Script(R"({"session":"sess_test","interview_turns":2})");
  by_script.Turn();
  EXPECT_THAT(by_script.Calls(), IsEmpty());
  by_script.Turn();
  EXPECT_EQ(by_script.Calls().size(), 1U);
}

TEST(Interviewer, LeavesOtherSessionsAsTheyWere) {
  Interview session(kLookup);
  for (int turn = 0; turn < 4; ++turn) {
    session.Turn();
    EXPECT_THAT(session.Text(kSaid, "transcript"), HasSubstr("I heard you speak"));
  }
  EXPECT_THAT(session.Calls(), IsEmpty());
}

TEST(Interviewer, CallsNothingWhereNoToolIsWanted) {
  Interview session;
  session.Script(R"({"interview_turns":1})");
  session.Turn(R"({"type":"response.create","response":{"tool_choice":"none"}})");
  session.Send(R"({"type":"response.create","response":{"conversation":"none","input":[]}})");
  session.Advance(seconds(3));
  EXPECT_THAT(session.Calls(), IsEmpty());
}

TEST(Interviewer, SpeaksBeforeTheCallInOneResponseWhenToldTo) {
  Interview session;
  session.Script(R"({"interview_turns":1,"speak_before_trigger":true,"reason":"a \"reason\""})");
  session.Turn();
  const json::value* output = FindPath(session.Last("response.done"), "response.output");
  ASSERT_EQ(output->as_array().size(), 2U);
  EXPECT_EQ(output->at(0).at("type"), "message");
  EXPECT_EQ(output->at(1).at("name"), json::value(kTriggerTool));
  EXPECT_EQ(output->at(1).at("arguments"), R"({"reason":"a \"reason\""})");
}

TEST(Interviewer, LoadsGuidanceThatNobodyHasLoaded) {
  Interview session(Tool(kGuidanceTool) + "," + kTrigger);
  session.Turn();
  EXPECT_THAT(session.Calls(), ElementsAre(kGuidanceTool));
  Interview loaded(Tool(kGuidanceTool) + "," + kTrigger);
  loaded.Send(R"({"type":"conversation.item.create","item":{"type":"function_call",
    "call_id":"call_g","name":"interview_guidance","arguments":"{}"}})");
  loaded.Send(R"({"type":"conversation.item.create","item":{"type":"function_call_output",
    "call_id":"call_g","output":"three phases"}})");
  loaded.Turn();
  EXPECT_THAT(loaded.Calls(), IsEmpty());
  EXPECT_EQ(loaded.record.refused(), 0U);
  const json::object journal = loaded.record.ToJson();
  const json::array& made = journal.at("client_items").as_array();
  ASSERT_EQ(made.size(), 2U);
  EXPECT_EQ(made[0].at("name"), json::value(kGuidanceTool));
  EXPECT_EQ(made[1].at("text"), "three phases");
}

TEST(ScriptedCalls, UseEachToolOnceAtItsTurn) {
  Interview session(Tool(kGuidanceTool) + "," + kLookup + "," + kTrigger);
  session.Script(R"({"interview_turns":4,"calls":[{"turn":2}]})");
  session.Turn();
  EXPECT_THAT(session.Calls(), ElementsAre(kGuidanceTool));
  session.Turn();
  EXPECT_THAT(session.Calls(), ElementsAre(kGuidanceTool, "lookup_word"));
  const auto arguments = ParseObject(session.Text(kArgumentsDone, "arguments"));
  EXPECT_GE(FindInteger(*arguments, "senses").value_or(0), 2);
  EXPECT_FALSE(StringOr(*arguments, "word").empty());
  session.Answer("found");
  session.Send(kCreate);
  session.Advance(seconds(3));
  EXPECT_EQ(session.Text(kSaid, "transcript"), "The tool answered: found");
  session.Turn();
  session.Turn();
  EXPECT_THAT(session.Calls(), ElementsAre(kGuidanceTool, "lookup_word", kTriggerTool));
}

TEST(ScriptedCalls, TakeArgumentsAsTheyAre) {
  Interview session(kLookup + "," + kTrigger);
  session.Script(R"({"calls":[{"turn":1,"tool":"lookup_word","arguments":"{\"word\":"},
                              {"turn":1,"tool":"trigger_assessment"},
                              {"turn":1,"tool":"not_offered"}]})");
  session.Turn();
  EXPECT_THAT(session.Calls(), ElementsAre("lookup_word", kTriggerTool));
  EXPECT_EQ(StringOr(session.All(kArgumentsDone)[0]->event, "arguments"), R"({"word":)");
  for (int turn = 0; turn < 3; ++turn) {
    session.Turn();
  }
  EXPECT_EQ(session.Calls().size(), 2U) << "the trigger counts as called";
}

TEST(ScriptedCalls, ComeOneByOneWithoutParallelCalls) {
  Interview session(kLookup + "," + Tool("other"));
  session.Send(R"({"type":"session.update","session":{"type":"realtime",
    "parallel_tool_calls":false}})");
  session.Script(R"({"calls":[{"turn":1}]})");
  session.Turn();
  EXPECT_THAT(session.Calls(), ElementsAre("lookup_word"));
  session.Turn();
  EXPECT_THAT(session.Calls(), ElementsAre("lookup_word", "other"));
}

std::vector<std::string> Announced(std::string_view script) {
  Interview session;
  session.Script(R"({"interview_turns":1})");
  session.Script(script);
  session.Turn();
  std::vector<std::string> types;
  for (const std::string& type : session.Milestones()) {
    if (type == kArgumentsDone || type == "response.output_item.done") {
      types.push_back(type);
    }
  }
  EXPECT_EQ(session.Text("conversation.item.done", "item.name"), kTriggerTool);
  EXPECT_EQ(FindPath(session.Last("response.done"), "response.output")->as_array().size(), 1U);
  return types;
}

TEST(Announcements, ComeInTheOrderOfTheScript) {
  const std::string arguments(kArgumentsDone);
  const std::string item = "response.output_item.done";
  EXPECT_THAT(Announced("{}"), ElementsAre(arguments, item));
  EXPECT_THAT(Announced(R"({"announce":"both"})"), ElementsAre(arguments, item));
  EXPECT_THAT(Announced(R"({"announce":"item_first"})"), ElementsAre(item, arguments));
  EXPECT_THAT(Announced(R"({"announce":"arguments"})"), ElementsAre(arguments));
  EXPECT_THAT(Announced(R"({"announce":"item"})"), ElementsAre(item));
}

TEST(Announcements, OfCallsOnly) {
  Interview session;
  session.Script(R"({"announce":"arguments"})");
  session.Turn();
  EXPECT_EQ(session.All("response.output_item.done").size(), 1U);
}

TEST(Announcements, CanBeWithoutTheName) {
  Interview session;
  session.Script(R"({"interview_turns":1,"nameless":true})");
  session.Turn();
  EXPECT_FALSE(session.Last(kArgumentsDone).contains("name"));
  EXPECT_EQ(session.Text("response.output_item.done", "item.name"), kTriggerTool);
}

TEST(Dictation, IsReadWordForWord) {
  Interview session;
  session.Turn(R"({"type":"response.create","response":{"tool_choice":"none","instructions":
    "Speak English.\n\nRead the following text aloud, word for word, and say nothing else:\n\nYour level is B1. \"예\" is yes.\nGoodbye.\n"}})");
  EXPECT_EQ(session.Text(kSaid, "transcript"), "Your level is B1. \"예\" is yes.\nGoodbye.");
  const json::object journal = session.record.ToJson();
  const json::value& response = journal.at("responses").at(0);
  EXPECT_EQ(response.at("request").at("tool_choice"), "none") << "the journal keeps what was asked";
}

TEST(Transcripts, FollowTheScriptWithTheirOwnDelayAndFailure) {
  Interview session;
  session.Script(R"({"transcripts":["<b>안녕</b>",{"text":"늦게","delay_ms":900},{"fails":true},
                                    {"delay_ms":10}]})");
  session.Turn();
  EXPECT_EQ(session.Text(kTranscribed, "transcript"), "<b>안녕</b>");
  session.Append(Voice(500));
  session.Send(R"({"type":"input_audio_buffer.commit"})");
  session.Advance(milliseconds(890));
  EXPECT_EQ(session.All(kTranscribed).size(), 1U);
  session.Advance(milliseconds(10));
  EXPECT_EQ(session.Text(kTranscribed, "transcript"), "늦게");
  session.Turn();
  EXPECT_EQ(session.All("conversation.item.input_audio_transcription.failed").size(), 1U);
  EXPECT_EQ(session.All(kTranscribed).size(), 2U);
  session.Turn();
  EXPECT_EQ(session.Text(kTranscribed, "transcript"), "I spoke for 0.50 seconds.");
}

TEST(Strictness, CountsASecondOutputAndACallIdInUse) {
  Interview session;
  session.Script(R"({"interview_turns":1})");
  session.Turn();
  session.Answer("one");
  EXPECT_EQ(session.record.refused(), 0U);
  session.Answer("two");
  EXPECT_EQ(session.record.refused(), 1U);
  EXPECT_EQ(session.ErrorCode(), "") << "the live service takes it";
  session.Send(R"({"type":"conversation.item.create","item":{"type":"function_call","name":"x",
    "arguments":"{}","call_id":")" +
               session.Text(kArgumentsDone, "call_id") + "\"}}");
  EXPECT_EQ(session.record.refused(), 2U);
}

TEST(Strictness, ClosesOnWhateverIsWrongAboutToolsAndItems) {
  const std::vector<std::pair<std::string, std::string>> cases = {
      {R"({"type":"session.update","session":{"type":"realtime","tools":[{"type":"function",
           "name":"x","function":{}}]}})",
       "unknown_parameter"},
      {R"({"type":"session.update","session":{"type":"realtime","tools":[{"type":"function",
           "name":"x","parameters":"{}"}]}})",
       "invalid_type"},
      {R"({"type":"conversation.item.create","item":{"type":"function_call_output",
           "call_id":"call_nobody","output":"x"}})",
       "invalid_tool_call_id"},
      {R"({"type":"conversation.item.create","item":{"type":"function_call","name":"x",
           "arguments":{}}})",
       "invalid_type"},
      {R"({"type":"conversation.item.create","item":{"type":"message","role":"user","name":"x",
           "content":[]}})",
       "unknown_parameter"}};
  for (const auto& [event, code] : cases) {
    ModelOptions options;
    options.strict = true;
    Interview session(kTrigger, options);
    session.Send(event);
    EXPECT_EQ(session.ErrorCode(), code) << event;
    ASSERT_EQ(session.closes.size(), 1U) << event;
    EXPECT_EQ(session.closes[0].code, 1008);
    EXPECT_EQ(session.record.refused(), 1U);
  }
}

TEST(InterviewScript, NamesTheFieldThatIsWrong) {
  const std::vector<std::pair<std::string, std::string>> cases = {
      {R"({"interview_turns":-1})", "interview_turns: "},
      {R"({"interview_turns":"3"})", "interview_turns: "},
      {R"({"announce":"loudly"})", "announce: "},
      {R"({"nameless":1})", "nameless: "},
      {R"({"reason":7})", "reason: "},
      {R"({"calls":{}})", "calls: expected an array"},
      {R"({"calls":[{"tool":"x"}]})", "calls: turn: "},
      {R"({"calls":[{"turn":0}]})", "calls: turn: "},
      {R"({"calls":[{"turn":1,"name":"x"}]})", "calls: name: "},
      {R"({"transcripts":[{"delay_ms":-1}]})", "transcripts: delay_ms: "},
      {R"({"transcripts":[7]})", "transcripts: "},
      {R"({"turns":3})", "turns: expected one of session, "}};
  ReplyScript script;
  for (const auto& [request, message] : cases) {
    EXPECT_THAT(Message(script.Add(*ParseObject(request))), HasSubstr(message)) << request;
  }
}

}  // namespace
}  // namespace voicebridge::simulator
