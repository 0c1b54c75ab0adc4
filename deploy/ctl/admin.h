// The commands to an admin listener of a gateway or worker.
#pragma once

#include <optional>
#include <string>

#include "common/core/certificate.h"
#include "common/core/time.h"
#include "voicebridge/v1/admin.pb.h"

namespace voicebridge::ctl {

enum class AdminCommand { kStatus, kSessions, kEndSession, kDeleteSession, kUndrain };

struct AdminOptions {
  AdminCommand command = AdminCommand::kStatus;
  std::string address;               // HOST:PORT.
  std::string session_id;            // Of those that name one.
  std::optional<PeerIdentity> peer;  // None: in the clear.
  bool json = false;                 // One JSON object instead of text.
  Duration timeout = seconds(10);    // For the answer.
};

// Asks, and prints the answer; an exit code.
int RunAdmin(const AdminOptions& options);

// For people.
std::string StatusText(const v1::ProcessStatus& status);
std::string SessionsText(const v1::ListSessionsResponse& sessions);

}  // namespace voicebridge::ctl
