// Assessments that are stored at once and complete only when the last transcripts are there.
#include <gmock/gmock.h>

#include "tests/component/interview/desk_fixture.h"

namespace voicebridge::worker::test {
namespace {

using testing::ElementsAre;

constexpr Duration kWords = seconds(5);
constexpr Duration kShortly = milliseconds(1);

class LastWords : public DeskTest {
 protected:
  // Where they are awaited for kWords at most, and the first have been stored.
  Process& Awaiting() {
    Process& process = Started();
    Announce(process, "a", kWords);
    return process;
  }
};

TEST_F(LastWords, AreAwaitedAndMeanwhileTheAssessmentIsOnlyStored) {
  Process& process = Awaiting();
  EXPECT_THAT(ToldOf(process, "a"), ElementsAre("stored"));
  EXPECT_EQ(Stored("a").state, AssessmentState::kPending);
  Started();  // Another worker.
  clock.Advance(kWords);
  EXPECT_THAT(table.history, ElementsAre("reserve a 0"));
  EXPECT_EQ(model.calls, 0);
}

TEST_F(LastWords, AreAssessedOnceTheyAreThere) {
  Process& process = Awaiting();
  clock.Advance(seconds(3));
  Assess(process, "a");
  EXPECT_EQ(Stored("a").request_json, kRequest);
  clock.Advance(seconds(1));
  EXPECT_THAT(ToldOf(process, "a"),
              ElementsAre("stored", "stored", "queued 1", "running 1", "completed"));
  EXPECT_THAT(table.history, ElementsAre("reserve a 0", "create a 0", "claim a 1", "complete a 1"));
}

TEST_F(LastWords, OfAWorkerThatDiedAreNotAwaitedForEver) {
  Awaiting();
  Started();  // The one that lives.
  clock.Advance(kWords + limits.lease - kShortly);
  EXPECT_EQ(table.Count("claim"), 0);
  clock.Advance(limits.reap_interval + seconds(1));
  EXPECT_EQ(Stored("a").state, AssessmentState::kCompleted);
  EXPECT_EQ(Stored("a").request_json, kRequestSoFar);
}

TEST_F(LastWords, AreStoredAfterTheFirstWhenTheStoreIsSlow) {
  Process& process = Started();
  process.records.away = true;
  Announce(process, "a", kWords);
  clock.Advance(seconds(2));
  Assess(process, "a");
  EXPECT_THAT(ToldOf(process, "a"), testing::IsEmpty());
  process.records.away = false;
  clock.Advance(seconds(2));
  EXPECT_THAT(table.history, ElementsAre("reserve a 0", "create a 0", "claim a 1", "complete a 1"));
  EXPECT_EQ(Stored("a").request_json, kRequest);
}

TEST_F(LastWords, ThatCannotBeStoredAreMissingAndTheAssessmentGoesOn) {
  Process& process = Awaiting();
  process.records.fault = [](std::string_view method) {
    return method == "create" ? absl::InternalError("no") : absl::OkStatus();
  };
  Assess(process, "a");
  EXPECT_THAT(ToldOf(process, "a"), ElementsAre("stored"));
  EXPECT_EQ(process.lost.CountOf(RecordKind::kLastWords), 1);
  clock.Advance(kWords + limits.lease + limits.reap_interval + seconds(1));
  EXPECT_THAT(ToldOf(process, "a"), ElementsAre("stored", "running 1", "completed"));
  EXPECT_EQ(Stored("a").request_json, kRequestSoFar);
}

TEST_F(LastWords, ThatComeTooLateChangeNothing) {
  Process& process = Awaiting();
  model.takes = seconds(60);
  clock.Advance(kWords + limits.lease + limits.reap_interval);
  EXPECT_EQ(Stored("a").state, AssessmentState::kRunning);
  Process& other = Started();
  other.desk.Assess({"session_a", 1, "worker"}, Record("a"), Duration::zero());
  Assess(process, "a");
  EXPECT_EQ(Stored("a").request_json, kRequestSoFar);
  clock.Advance(seconds(60));
  EXPECT_EQ(table.Count("complete a 1"), 1);
  EXPECT_EQ(model.calls, 1);
}

TEST_F(LastWords, ComeWithTheEndOfTheirSessionDuringADrain) {
  Process& process = Awaiting();
  std::size_t left = 999;
  Start("stop", StopDesk(process.desk, In(seconds(2)), left));
  clock.RunReady();
  EXPECT_EQ(left, 0U) << "what was announced is stored already";
  Assess(process, "a");
  process.desk.Forget("session_a");
  clock.RunReady();
  EXPECT_EQ(Stored("a").state, AssessmentState::kPending);
  EXPECT_EQ(Stored("a").request_json, kRequest);
  EXPECT_EQ(model.calls, 0);
  Started();  // Another worker: nothing is reserved any more.
  clock.Advance(seconds(1));
  EXPECT_EQ(Stored("a").state, AssessmentState::kCompleted);
}

TEST_F(LastWords, ThatComeInTheMiddleOfAStopAreNotNamedAsLost) {
  Process& process = Awaiting();
  std::size_t left = 999;
  ASSERT_TRUE(tasks.TrySpawn("stop", StopDesk(process.desk, In(seconds(2)), left)));
  Assess(process, "a");
  EXPECT_EQ(left, 0U);
  EXPECT_EQ(Stored("a").request_json, kRequest);
}

TEST_F(LastWords, ThatAStopDoesNotSeeStoredAreMissingOnly) {
  Process& process = Awaiting();
  process.records.away = true;
  Assess(process, "a");
  std::size_t left = 999;
  Start("stop", StopDesk(process.desk, In(seconds(2)), left));
  clock.Advance(seconds(2));
  EXPECT_EQ(left, 0U) << "what was announced is stored";
}

TEST_F(LastWords, AStopNamesTheSessionWhoseTriggerIsNotStored) {
  Process& process = Started();
  process.records.away = true;
  Announce(process, "a", kWords);
  std::size_t left = 999;
  Start("stop", StopDesk(process.desk, In(seconds(2)), left));
  clock.Advance(seconds(2));
  EXPECT_EQ(left, 1U);
}

}  // namespace
}  // namespace voicebridge::worker::test
