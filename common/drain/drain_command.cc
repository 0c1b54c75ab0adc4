#include "common/drain/drain_command.h"

#include "common/core/status.h"
#include "common/drain/drain_plan.h"

namespace voicebridge {
namespace {

// It is for a log line.
constexpr std::size_t kReasonMax = 200;

absl::Status CheckFleet(DrainMode mode, Duration budget, DrainRole role) {
  if (role == DrainRole::kWorker) {
    return InvalidArgument("scope: FLEET is a gateway's; a worker drains itself");
  }
  if (mode == v1::DrainRequest::HANDOVER) {
    return InvalidArgument(
        "mode: HANDOVER needs a worker that stays; a fleet is drained with CLOSE or FINISH");
  }
  if (budget < DrainPlan::kFleetTotalMin) {
    return InvalidArgument(
        "budget: expected at least {} ms for a fleet, got {} ms",
        std::chrono::duration_cast<milliseconds>(DrainPlan::kFleetTotalMin).count(),
        std::chrono::duration_cast<milliseconds>(budget).count());
  }
  return absl::OkStatus();
}

}  // namespace

absl::StatusOr<DrainCommand> CheckDrain(const v1::DrainRequest& request, Duration budget,
                                        DrainRole role) {
  if (!v1::DrainRequest::Mode_IsValid(request.mode())) {
    return InvalidArgument("mode: {} is none that this version knows",
                           static_cast<int>(request.mode()));
  }
  if (!v1::DrainRequest::Scope_IsValid(request.scope())) {
    return InvalidArgument("scope: {} is none that this version knows",
                           static_cast<int>(request.scope()));
  }
  if (!v1::DrainRequest::Then_IsValid(request.then())) {
    return InvalidArgument("then: {} is none that this version knows",
                           static_cast<int>(request.then()));
  }
  if (const absl::Status enough = DrainPlan::Check(budget); !enough.ok()) {
    return enough;
  }
  DrainCommand command;
  command.fleet = request.scope() == v1::DrainRequest::FLEET;
  command.exit = request.then() == v1::DrainRequest::EXIT;
  command.budget = budget;
  command.reason = request.reason().substr(0, kReasonMax);
  command.mode = request.mode();
  if (command.mode == v1::DrainRequest::MODE_UNSPECIFIED) {
    command.mode = command.fleet ? v1::DrainRequest::CLOSE : v1::DrainRequest::HANDOVER;
  }
  if (command.fleet) {
    if (const absl::Status possible = CheckFleet(command.mode, budget, role); !possible.ok()) {
      return possible;
    }
  }
  return command;
}

DrainCommand DrainBySignal(int signal, Duration budget) {
  DrainCommand command;
  command.exit = true;
  command.budget = budget;
  command.reason = "signal";
  command.signal = signal;
  return command;
}

const char* WordOf(DrainMode mode) {
  switch (mode) {
    case v1::DrainRequest::HANDOVER:
      return "handover";
    case v1::DrainRequest::FINISH:
      return "finish";
    default:
      return "close";
  }
}

}  // namespace voicebridge
