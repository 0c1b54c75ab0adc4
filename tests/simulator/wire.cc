#include "tests/simulator/wire.h"

#include <string>
#include <vector>

#include "common/core/status.h"
#include "common/websocket/upgradable_connection.h"
#include "tests/simulator/frames.h"

namespace voicebridge::simulator {
namespace {

// Long enough for the peer to read a piece by itself.
constexpr Duration kBetweenPieces = milliseconds(1);

}  // namespace

Wire::Wire(Connection& connection, Clock& clock)
    : connection_(connection),
      transport_(dynamic_cast<UpgradableConnection&>(connection)),
      clock_(clock) {}

Awaitable<absl::Status> Wire::WriteText(std::string_view payload, const ActiveFaults& faults,
                                        Deadline deadline) {
  const bool split = faults.Has(FaultId::kSplitTcp);
  const bool fragmented = faults.Has(FaultId::kFragmented);
  if (!split && !fragmented) {
    co_return co_await connection_.WriteText(payload, deadline);
  }
  std::vector<std::string> frames;
  if (fragmented) {
    frames = FragmentedText(payload);
  } else {
    frames.push_back(TextFrame(payload));
  }
  absl::Status status;
  for (const std::string& frame : frames) {
    if (status.ok()) {
      status = co_await WriteBytes(frame, split, deadline);
    }
  }
  co_return status;
}

Awaitable<absl::Status> Wire::WriteBytes(std::string_view bytes, bool split, Deadline deadline) {
  std::vector<std::string_view> pieces = {bytes};
  if (split) {
    pieces = PiecesOf(bytes);
  }
  bool open = true;
  for (const std::string_view piece : pieces) {
    if (open) {
      transport_.Bound(deadline);
      open = co_await transport_.WriteAll(piece, std::string_view());
      transport_.Bound(Deadline::Never());
    }
    if (open && split) {
      const Deadline next = Deadline::After(clock_.Now(), kBetweenPieces);
      open = co_await clock_.SleepUntil(next);
    }
  }
  co_return open ? absl::OkStatus() : Unavailable("the connection is closed");
}

void Wire::Reset() { transport_.Reset(); }

}  // namespace voicebridge::simulator
