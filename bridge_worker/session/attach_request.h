// How a gateway's call begins: which session it wants attached, and from where that goes on.
#pragma once

#include <absl/status/status.h>

#include <optional>
#include <utility>

#include "common/async/awaitable.h"
#include "common/async/clock.h"
#include "common/config/profiles.h"
#include "common/core/deadline.h"
#include "common/rpc/server_stream.h"
#include "voicebridge/v1/bridge.pb.h"
#include "voicebridge/v1/conversation.pb.h"

namespace voicebridge::worker {

using GatewayStream = ServerStream<v1::ToWorker, v1::ToGateway>;

// The Attach frame and the parts of the snapshot behind it. Owned by the session driver.
class AttachRequest {
 public:
  // Once, before anything else reads from the call. INVALID_ARGUMENT and NOT_FOUND say what is
  // wrong with it, DEADLINE_EXCEEDED that it did not come.
  Awaitable<absl::Status> Read(GatewayStream& gateway, const Profiles& profiles, Clock& clock,
                               Deadline deadline);

  // As far as it came.
  const v1::Attach& frame() const { return frame_; }
  // The methods below: after a Read that was OK.
  const v1::Profile& profile() const { return *profile_; }
  // Of an earlier attachment; nullopt: the session is new.
  std::optional<v1::ConversationSnapshot> TakeSnapshot() { return std::move(snapshot_); }

 private:
  Awaitable<void> ReadFrames(GatewayStream& gateway);
  absl::Status Check(const Profiles& profiles);

  v1::Attach frame_;
  std::optional<v1::ConversationSnapshot> snapshot_;
  bool snapshot_is_whole_ = false;
  const v1::Profile* profile_ = nullptr;
};

}  // namespace voicebridge::worker
