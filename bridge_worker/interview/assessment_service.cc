#include "bridge_worker/interview/assessment_service.h"

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/post.hpp>
#include <utility>

#include "bridge_worker/interview/assessment_desk.h"
#include "bridge_worker/interview/assessment_listeners.h"

namespace voicebridge::worker {

// The desk lives on one executor; what other shards ask for is posted there. Posts hold it weakly:
// some may still lie in a queue when the service is destroyed.
class AssessmentService::Implementation {
 public:
  Implementation(AssessmentLimits limits, const Profiles& profiles, ResponsesClient& client,
                 StoreThread& store, LostRecords& lost, AssessmentMetrics& metrics,
                 std::string worker_id, net::any_io_executor executor, Clock& clock,
                 TaskGroup& tasks, Logger& logger)
      : executor_(std::move(executor)),
        limits_(limits),
        records_(MakeStoredRecords(store, std::move(worker_id), limits.lease)),
        tools_{limits_, profiles, client, *records_, lost, metrics, clock, logger},
        desk_(std::make_shared<AssessmentDesk>(
            tools_, executor_, tasks,
            [this](const std::string& session_id, AssessmentUpdate update) {
              listeners_.Tell(session_id, std::move(update));
            })) {}

  template <class Action>
  void Post(Action action) {
    net::post(executor_, [desk = std::weak_ptr(desk_), action = std::move(action)]() mutable {
      if (const auto present = desk.lock()) {
        action(*present);
      }
    });
  }

  AssessmentListeners& listeners() { return listeners_; }
  AssessmentRecords& records() { return *records_; }
  AssessmentDesk& desk() { return *desk_; }
  const net::any_io_executor& executor() const { return executor_; }

 private:
  const net::any_io_executor executor_;
  const AssessmentLimits limits_;
  AssessmentListeners listeners_;
  const std::unique_ptr<AssessmentRecords> records_;
  const AssessmentTools tools_;
  const std::shared_ptr<AssessmentDesk> desk_;
};

AssessmentService::AssessmentService(AssessmentLimits limits, const Profiles& profiles,
                                     ResponsesClient& client, StoreThread& store, LostRecords& lost,
                                     AssessmentMetrics& metrics, std::string worker_id,
                                     net::any_io_executor executor, Clock& clock, TaskGroup& tasks,
                                     Logger& logger)
    : implementation_(std::make_unique<Implementation>(limits, profiles, client, store, lost,
                                                       metrics, std::move(worker_id),
                                                       std::move(executor), clock, tasks, logger)) {
}

AssessmentService::~AssessmentService() = default;

void AssessmentService::Start() { implementation_->desk().Start(); }

void AssessmentService::Assess(SessionOwner owner, AssessmentRecord assessment,
                               Duration words_awaited, net::any_io_executor executor,
                               Listener listener) {
  implementation_->listeners().Put(owner.session_id, std::move(executor), std::move(listener));
  implementation_->Post([owner = std::move(owner), assessment = std::move(assessment),
                         words_awaited](AssessmentDesk& desk) mutable {
    desk.Assess(std::move(owner), std::move(assessment), words_awaited);
  });
}

void AssessmentService::Forget(const std::string& session_id) {
  implementation_->listeners().Remove(session_id);
  implementation_->Post([session_id](AssessmentDesk& desk) { desk.Forget(session_id); });
}

Awaitable<absl::StatusOr<AssessmentRecord>> AssessmentService::Retry(std::string session_id,
                                                                     std::string traceparent,
                                                                     Deadline deadline) {
  absl::StatusOr<AssessmentRecord> record =
      co_await implementation_->records().Retry(std::move(session_id), deadline);
  if (record.ok()) {
    record->traceparent = std::move(traceparent);
    implementation_->Post([copy = *record](AssessmentDesk& desk) { desk.Readmit(copy); });
  }
  co_return record;
}

Awaitable<absl::StatusOr<AssessmentRecord>> AssessmentService::Find(std::string session_id,
                                                                    Deadline deadline) {
  return implementation_->records().Find(std::move(session_id), deadline);
}

void AssessmentService::Hold() {
  implementation_->Post([](AssessmentDesk& desk) { desk.Hold(); });
}

void AssessmentService::Resume() {
  implementation_->Post([](AssessmentDesk& desk) { desk.Resume(); });
}

Awaitable<std::vector<std::string>> AssessmentService::Stop(Deadline deadline) {
  // There and back: the desk is used on its own executor only.
  auto [failure, left] =
      co_await net::co_spawn(implementation_->executor(), implementation_->desk().Stop(deadline),
                             net::as_tuple(net::use_awaitable));
  if (failure) {
    left = {"assessments"};
  }
  co_return std::move(left);
}

std::size_t AssessmentService::running() const { return implementation_->desk().running(); }

std::size_t AssessmentService::queued() const { return implementation_->desk().queued(); }

}  // namespace voicebridge::worker
