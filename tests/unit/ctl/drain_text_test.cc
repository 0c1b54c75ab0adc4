#include "deploy/ctl/drain_text.h"

#include <gmock/gmock.h>

#include <string>
#include <vector>

#include "common/json/json.h"

namespace voicebridge::ctl {
namespace {

using testing::HasSubstr;
using testing::Not;

v1::DrainProgress Progress(std::uint32_t left, std::uint32_t total, std::uint32_t tasks = 0) {
  v1::DrainProgress progress;
  progress.set_sessions_left(left);
  progress.set_sessions_total(total);
  progress.set_tasks_left(tasks);
  progress.set_mode(v1::DrainRequest::CLOSE);
  return progress;
}

std::string Bar(const v1::DrainProgress& progress, std::size_t columns, bool colours = false) {
  BarStyle style;
  style.columns = columns;
  style.colours = colours;
  return ProgressBar(progress, milliseconds(2450), style);
}

v1::DrainRequest Asked(v1::DrainRequest::Scope scope = v1::DrainRequest::SELF,
                       v1::DrainRequest::Then then = v1::DrainRequest::STAY) {
  v1::DrainRequest asked;
  asked.set_mode(v1::DrainRequest::HANDOVER);
  asked.set_scope(scope);
  asked.set_then(then);
  return asked;
}

v1::DrainSummary Summary() {
  v1::DrainSummary summary;
  summary.set_mode(v1::DrainRequest::CLOSE);
  summary.mutable_took()->set_nanos(214'000'000);
  return summary;
}

TEST(ProgressText, SaysWhatIsLeft) {
  EXPECT_EQ(ProgressText(Progress(5, 10, 12), milliseconds(2450)),
            "close: 5 of 10 sessions left, 12 tasks, 2.5 s left");
  EXPECT_EQ(ProgressText(Progress(1, 1, 1), Duration::zero()),
            "close: 1 of 1 session left, 1 task, 0.0 s left");
  EXPECT_THAT(ProgressText(Progress(0, 0), seconds(125)), HasSubstr("0 of 0 sessions left"));
  EXPECT_THAT(ProgressText(Progress(0, 0), seconds(125)), HasSubstr("2m5s left"));
}

TEST(ProgressText, CountsNoLessThanAreLeft) {
  EXPECT_THAT(ProgressText(Progress(3, 0), Duration::zero()), HasSubstr("3 of 3 sessions"))
      << "a fleet's total may come later than its sessions";
}

TEST(ProgressText, NamesTheModeAsItIsCarriedOut) {
  v1::DrainProgress progress = Progress(1, 1);
  progress.set_mode(v1::DrainRequest::FINISH);
  EXPECT_THAT(ProgressText(progress, Duration::zero()), HasSubstr("finish: "));
  progress.set_mode(static_cast<v1::DrainRequest::Mode>(77));
  EXPECT_THAT(ProgressText(progress, Duration::zero()), HasSubstr("drain: "));
}

TEST(ProgressBar, FillsWithTheSessionsThatAreGone) {
  EXPECT_EQ(Bar(Progress(10, 10), 80).substr(0, 29), "[---------------------------]");
  EXPECT_EQ(Bar(Progress(5, 10), 80).substr(0, 30), "[##############--------------]");
  EXPECT_EQ(Bar(Progress(0, 10), 80).substr(0, 30), "[############################]");
  EXPECT_EQ(Bar(Progress(0, 0), 80).substr(0, 5), "[####") << "nothing to wait for";
}

TEST(ProgressBar, FitsEveryLine) {
  const v1::DrainProgress progress = Progress(123456, 4'000'000'000U, 123456);
  for (std::size_t columns = 1; columns < 200; ++columns) {
    EXPECT_LE(Bar(progress, columns).size(), columns);
  }
  EXPECT_THAT(Bar(Progress(1, 2), 50), Not(HasSubstr("["))) << "words are worth more than a bar";
  EXPECT_EQ(Bar(Progress(1, 2), 200).find(']'), 41U) << "and a longer bar says no more";
}

TEST(ProgressBar, HasColoursOnlyIfTheyAreWanted) {
  EXPECT_THAT(Bar(Progress(1, 2), 80), Not(HasSubstr("\x1b")));
  const std::string bar = Bar(Progress(1, 2), 80, true);
  EXPECT_THAT(bar, HasSubstr("\x1b[32m"));
  EXPECT_THAT(bar, HasSubstr("\x1b[0m"));
}

TEST(SummaryText, OfNothing) {
  EXPECT_EQ(SummaryText("a:1", Asked(), Summary()),
            "a:1 drained (close) in 214 ms; it stays, and takes no new sessions\n"
            "  there were no sessions\n");
}

TEST(SummaryText, SaysWhatBecameOfEachSession) {
  v1::DrainSummary summary = Summary();
  summary.add_handed_over("s1");
  summary.add_finished("s2");
  summary.add_finished("s3");
  summary.add_stored("s4");
  summary.set_handover_fell_back(true);
  EXPECT_EQ(SummaryText("a:1", Asked(v1::DrainRequest::SELF, v1::DrainRequest::EXIT), summary),
            "a:1 drained (close) in 214 ms; it exits\n"
            "  1 session was handed over\n"
            "  2 sessions had ended before they were closed\n"
            "  1 session was told and closed, and all that was to be kept is stored\n"
            "  nothing could take the sessions over: they were closed instead\n");
}

TEST(SummaryText, NamesWhatWentWrong) {
  v1::DrainSummary summary = Summary();
  summary.add_forced("s1");
  summary.add_forced("s2");
  summary.add_not_stored("s1");
  summary.add_not_stored("assessment_7");
  summary.add_unreachable("b:2");
  summary.add_tasks_left("reader");
  summary.add_tasks_left("reaper");
  summary.add_tasks_left("reader");
  EXPECT_EQ(SummaryText("a:1", Asked(v1::DrainRequest::FLEET), summary),
            "fleet of a:1 drained (close) in 214 ms, but not cleanly; its processes stay, and take "
            "no new sessions\n"
            "  2 sessions were cut off: s1, s2\n"
            "  not stored: s1, assessment_7\n"
            "  workers that did not answer: b:2\n"
            "  tasks that did not end: reader (2 times), reaper\n");
}

TEST(SummaryText, SaysSecondsWhereItTookThem) {
  v1::DrainSummary summary = Summary();
  summary.mutable_took()->set_seconds(2);
  EXPECT_THAT(SummaryText("a:1", Asked(), summary), HasSubstr(" in 2.2 s; "));
}

TEST(SummaryText, StaysReadableWithManyNames) {
  v1::DrainSummary summary = Summary();
  for (int i = 0; i < 1000; ++i) {
    summary.add_not_stored("s" + std::to_string(i));
  }
  const std::string text = SummaryText("a:1", Asked(), summary);
  EXPECT_THAT(text, HasSubstr("s18, s19, and 980 more (--json names all)\n"));
}

TEST(IsClean, NotWhenAnythingWasLeft) {
  v1::DrainSummary summary = Summary();
  summary.add_stored("s1");
  summary.add_finished("s2");
  summary.add_handed_over("s3");
  summary.set_handover_fell_back(true);
  EXPECT_TRUE(IsClean(summary));
  using List = google::protobuf::RepeatedPtrField<std::string>* (v1::DrainSummary::*)();
  const std::vector<List> lists = {
      &v1::DrainSummary::mutable_forced, &v1::DrainSummary::mutable_unreachable,
      &v1::DrainSummary::mutable_not_stored, &v1::DrainSummary::mutable_tasks_left};
  for (const List list : lists) {
    v1::DrainSummary dirty = summary;
    (dirty.*list)()->Add("x");
    EXPECT_FALSE(IsClean(dirty)) << dirty.ShortDebugString();
  }
}

TEST(SummaryJson, IsOneObjectOnOneLine) {
  v1::DrainRequest asked = Asked();
  asked.set_reason("an \"upgrade\"");
  asked.mutable_budget()->set_seconds(3);
  v1::DrainSummary summary = Summary();
  summary.add_forced("s1");
  const std::string text = SummaryJson("a:1", asked, summary);
  EXPECT_EQ(text.find('\n'), text.size() - 1);
  const absl::StatusOr<json::object> object = ParseObject(text);
  ASSERT_TRUE(object.ok()) << object.status();
  EXPECT_EQ(StringOr(*object, "address"), "a:1");
  EXPECT_EQ(FindBool(*object, "clean"), false);
  const json::object* told = FindObject(*object, "asked");
  ASSERT_NE(told, nullptr);
  EXPECT_EQ(StringOr(*told, "mode"), "HANDOVER");
  EXPECT_EQ(StringOr(*told, "budget"), "3s");
  EXPECT_EQ(StringOr(*told, "reason"), "an \"upgrade\"");
  const json::object* ended = FindObject(*object, "summary");
  ASSERT_NE(ended, nullptr);
  EXPECT_EQ(StringOr(*ended, "mode"), "CLOSE");
  EXPECT_EQ(StringOr(*ended, "took"), "0.214s");
  EXPECT_EQ(FindArray(*ended, "forced")->size(), 1U);
  EXPECT_EQ(FindArray(*ended, "stored")->size(), 0U) << "an empty list is there";
}

}  // namespace
}  // namespace voicebridge::ctl
