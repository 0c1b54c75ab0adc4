// A drain as it is asked for: an operator's request or a stop signal, checked and complete.
#pragma once

#include <absl/status/statusor.h>

#include <string>

#include "common/core/time.h"
#include "voicebridge/v1/drain.pb.h"

namespace voicebridge {

using DrainMode = v1::DrainRequest::Mode;

enum class DrainRole { kGateway, kWorker };

struct DrainCommand {
  DrainMode mode = v1::DrainRequest::HANDOVER;  // Never MODE_UNSPECIFIED.
  bool fleet = false;
  bool exit = false;  // Else the process stays, drained.
  Duration budget{};  // Time left for all of it.
  std::string reason;
  int signal = 0;  // 0: an RPC.
};

// `budget`: of the request, or the process's own where it names none. INVALID_ARGUMENT names the
// field.
absl::StatusOr<DrainCommand> CheckDrain(const v1::DrainRequest& request, Duration budget,
                                        DrainRole role);

DrainCommand DrainBySignal(int signal, Duration budget);

// As the command line writes it.
const char* WordOf(DrainMode mode);

}  // namespace voicebridge
