// Whoever started this process as a service and waits to hear how it is: systemd, of a unit with
// Type=notify. Its protocol is a datagram of NAME=VALUE lines, which needs no library.
#pragma once

#include <absl/status/status.h>

#include <string>
#include <string_view>

#include "common/core/time.h"

namespace voicebridge {

// A value. Tell may be called from any thread.
class ServiceManager {
 public:
  // As NOTIFY_SOCKET names it; without that variable nobody is told anything.
  static ServiceManager FromEnvironment();

  // `address`: a path, or @NAME of the abstract namespace; empty: nobody.
  explicit ServiceManager(std::string address) : address_(std::move(address)) {}

  // `lines`: as in "READY=1\nSTATUS=serving". Waits for `patience` at most where the manager does
  // not read. INVALID_ARGUMENT for an address that is none; UNAVAILABLE says why it was not told.
  absl::Status Tell(std::string_view lines, Duration patience) const;

 private:
  std::string address_;
};

}  // namespace voicebridge
