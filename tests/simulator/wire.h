// How the events of a session reach the socket: as the library writes them, or as it never would.
#pragma once

#include <absl/status/status.h>

#include <string_view>

#include "common/async/clock.h"
#include "common/websocket/connection.h"
#include "tests/simulator/faults.h"

namespace voicebridge {
class UpgradableConnection;
}

namespace voicebridge::simulator {

// Owned by the driver; one write at a time. `connection` comes from our HTTP server and outlives
// it. Frames of our own do not know of control frames that the library writes meanwhile; those come
// after 20 s without any traffic only.
class Wire {
 public:
  Wire(Connection& connection, Clock& clock);

  Awaitable<absl::Status> WriteText(std::string_view payload, const ActiveFaults& faults,
                                    Deadline deadline);
  // A TCP reset.
  void Reset();

 private:
  Awaitable<absl::Status> WriteBytes(std::string_view bytes, bool split, Deadline deadline);

  Connection& connection_;
  UpgradableConnection& transport_;
  Clock& clock_;
};

}  // namespace voicebridge::simulator
