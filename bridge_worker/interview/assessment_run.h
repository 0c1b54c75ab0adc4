// One assessment from being claimed to its end. Private to the assessment service.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>

#include "bridge_worker/interview/assessment_metrics.h"
#include "bridge_worker/interview/assessment_records.h"
#include "bridge_worker/interview/assessment_service.h"
#include "bridge_worker/store/lost_records.h"
#include "common/async/event.h"
#include "common/observability/trace_context.h"
#include "common/observability/trace_logger.h"

namespace voicebridge::worker {

// What all runs of a process share; everything outlives them.
struct AssessmentTools {
  const AssessmentLimits& limits;
  const Profiles& profiles;
  ResponsesClient& client;
  AssessmentRecords& records;
  LostRecords& lost;
  AssessmentMetrics& metrics;
  Clock& clock;
  Logger& logger;
};

// Asks the model until its answer is a report, the attempts are used up or the budget is spent;
// keeps the lease meanwhile, and writes the result under its claim. Owned by whoever awaits Run,
// used on its executor.
class AssessmentRun {
 public:
  enum class End {
    kCompleted,    // Stored, as `report_json`.
    kFailed,       // Stored, as `failure_reason`.
    kLost,         // Another one owns it, or it is gone; nothing was written.
    kNotStored,    // It has a result that could not be stored; it is run again when its lease ends.
    kReleased,     // Stopped, and stored as pending.
    kNotReleased,  // Stopped; it is run again when its lease ends.
  };

  // `on_attempt` is told the number of each attempt, from 1.
  AssessmentRun(const AssessmentTools& tools, AssessmentRecord record,
                const net::any_io_executor& executor, std::function<void(unsigned)> on_attempt);

  // Once.
  Awaitable<End> Run();

  // It was claimed again by this process, when its lease had run out: goes on with the new claim.
  void Adopt(std::uint64_t claim) { claim_ = claim; }

  // Ends the model call now and releases the assessment, within the deadline. A result that is
  // there already is still written.
  void Stop(Deadline deadline);

  const AssessmentRecord& record() const { return record_; }
  TraceLogger& logger() { return logger_; }
  // Since it was taken up.
  Duration age() const { return tools_.clock.Now() - began_; }
  unsigned attempt() const { return attempt_; }
  const std::string& report_json() const { return result_.report_json; }
  const std::string& failure_reason() const { return result_.failure_reason; }

 private:
  struct Result {
    std::string report_json;     // Of a success.
    std::string failure_reason;  // Of a failure.
  };
  // What one attempt came to.
  struct Verdict {
    Result result;
    std::string detail;  // Of a failure, for the log.
    AttemptOutcome outcome = AttemptOutcome::kReport;
    bool is_final = true;          // Trying again does not help.
    std::optional<Duration> wait;  // Asked for by the model's service.
  };

  Awaitable<void> Work();
  Awaitable<void> AskModel();
  Awaitable<void> Attempt(const v1::Assessment& assessment, const std::string& body);
  Awaitable<void> KeepLease();
  Awaitable<void> WaitForStop();

  static Verdict Judge(const v1::Assessment& assessment, const ResponsesAnswer& answer);
  Deadline AttemptDeadline(Deadline budget, bool is_last) const;
  Duration BackOff(const Verdict& verdict) const;
  void Conclude(Result result);

  Awaitable<End> WriteResult();
  Awaitable<absl::Status> Write(bool completed);
  Awaitable<End> Release();

  Deadline In(Duration budget) const { return Deadline::After(tools_.clock.Now(), budget); }
  std::int64_t Milliseconds() const;
  void LogEnd(LogLevel level, std::string_view event, std::string_view reason);

  const AssessmentTools& tools_;
  const AssessmentRecord record_;
  const std::function<void(unsigned)> on_attempt_;
  const TraceContext trace_;
  TraceLogger logger_;
  const TimePoint began_;
  std::uint64_t claim_;
  unsigned attempt_ = 0;
  bool concluded_ = false;  // result_ holds what is to be stored.
  Result result_;
  bool lost_ = false;
  bool stopping_ = false;
  Deadline stop_deadline_ = Deadline::Never();
  Event stop_;
};

}  // namespace voicebridge::worker
