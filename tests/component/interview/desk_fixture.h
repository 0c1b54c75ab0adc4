// What the tests of the assessment desk share: a table, a model, and processes that use both.
#pragma once

#include <algorithm>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "bridge_worker/interview/assessment_desk.h"
#include "tests/component/async/async_fixture.h"
#include "tests/fakes/fake_assessment_records.h"
#include "tests/fakes/fake_responses_client.h"
#include "tests/unit/interview/interview_profile.h"

namespace voicebridge::worker::test {

inline constexpr char kRequest[] =
    R"({"reason":"r","transcript":[{"speaker":"user","text":"the last words"}]})";
inline constexpr char kRequestSoFar[] = R"({"reason":"r","transcript":[]})";

inline std::string Describe(const AssessmentUpdate& update) {
  if (std::holds_alternative<AssessmentStored>(update)) {
    return "stored";
  }
  if (const auto* queued = std::get_if<AssessmentQueued>(&update)) {
    return "queued " + std::to_string(queued->position);
  }
  if (const auto* running = std::get_if<AssessmentRunning>(&update)) {
    return "running " + std::to_string(running->attempt);
  }
  if (const auto* failed = std::get_if<AssessmentFailed>(&update)) {
    return "failed " + failed->reason;
  }
  const auto& report = std::get<AssessmentCompleted>(update).report_json;
  return report == kReportInOrder ? "completed" : "completed with another report: " + report;
}

using Told = std::vector<std::string>;

// One worker, without its sockets.
struct Process {
  Process(FakeAssessmentTable& table, const Profiles& profiles, ResponsesClient& model,
          ManualClock& clock, TaskGroup& tasks, net::any_io_executor executor, Logger& logger,
          AssessmentLimits process_limits)
      : limits(process_limits),
        records(table, clock, limits.lease),
        lost(registry),
        metrics(registry),
        tools{limits, profiles, model, records, lost, metrics, clock, logger},
        desk(tools, std::move(executor), tasks,
             [this](const std::string& session_id, const AssessmentUpdate& update) {
               told[session_id].push_back(Describe(update));
             }) {}

  const AssessmentLimits limits;
  FakeAssessmentRecords records;
  prometheus::Registry registry;
  LostRecords lost;
  AssessmentMetrics metrics;
  const AssessmentTools tools;
  std::map<std::string, Told> told;
  AssessmentDesk desk;
};

class DeskTest : public voicebridge::test::AsyncTest {
 protected:
  DeskTest() : model(clock), logger(MakeNullLogger()) {
    v1::Profile profile;
    profile.set_name("interview");
    *profile.mutable_assessment() = SmallAssessment();
    profiles.emplace("interview", std::move(profile));
    model.answer = [](int) {
      return AnswerOf(ResponsesAnswer::Outcome::kText, std::string(kReport));
    };
  }

  Process& Add() {
    processes.push_back(std::make_unique<Process>(table, profiles, model, clock, tasks,
                                                  io.get_executor(), *logger, limits));
    return *processes.back();
  }

  Process& Started() {
    Process& process = Add();
    process.desk.Start();
    clock.RunReady();
    return process;
  }

  static AssessmentRecord Record(const std::string& name) {
    AssessmentRecord record;
    record.assessment_id = name;
    record.session_id = "session_" + name;
    record.profile = "interview";
    record.request_json = kRequest;
    return record;
  }

  void Assess(Process& process, const std::string& name) {
    process.desk.Assess({"session_" + name, 1, "worker"}, Record(name), Duration::zero());
    clock.RunReady();
  }

  // Only so far: more words are to come within this time.
  void Announce(Process& process, const std::string& name, Duration words_awaited) {
    AssessmentRecord record = Record(name);
    record.request_json = kRequestSoFar;
    process.desk.Assess({"session_" + name, 1, "worker"}, std::move(record), words_awaited);
    clock.RunReady();
  }

  void AssessAndWait(Process& process, const std::string& name, Duration wait = seconds(2)) {
    Assess(process, name);
    clock.Advance(wait);
  }

  static Told ToldOf(const Process& process, const std::string& name) {
    const auto found = process.told.find("session_" + name);
    return found == process.told.end() ? Told() : found->second;
  }

  AssessmentRecord& Stored(const std::string& name) { return table.rows["session_" + name].record; }

  AssessmentLimits limits;
  Profiles profiles;
  FakeResponsesClient model;
  FakeAssessmentTable table;
  std::unique_ptr<Logger> logger;
  std::vector<std::unique_ptr<Process>> processes;
};

inline Awaitable<void> StopDesk(AssessmentDesk& desk, Deadline deadline, std::size_t& left) {
  const std::vector<std::string> names = co_await desk.Stop(deadline);
  left = names.size();
}

}  // namespace voicebridge::worker::test
