#include "bridge_worker/session/attach_request.h"

#include <cstddef>
#include <cstdint>
#include <string>
#include <utility>

#include "common/async/first_to_finish.h"
#include "common/core/limits.h"
#include "common/core/status.h"

namespace voicebridge::worker {
namespace {

// A newest item of over a MiB stays in the snapshot whole.
constexpr std::size_t kSnapshotBytesMax = 2 * limits::kSnapshotMax;

}  // namespace

Awaitable<absl::Status> AttachRequest::Read(GatewayStream& gateway, const Profiles& profiles,
                                            Clock& clock, Deadline deadline) {
  const bool came = co_await RunUntil(clock, deadline, ReadFrames(gateway));
  co_return came ? Check(profiles) : DeadlineExceeded("no Attach within the handshake budget");
}

Awaitable<void> AttachRequest::ReadFrames(GatewayStream& gateway) {
  v1::ToWorker* frame = co_await gateway.ReadUntilStopped();
  if (frame == nullptr || !frame->has_attach()) {
    co_return;
  }
  frame_ = std::move(*frame->mutable_attach());
  std::string content;
  for (std::uint32_t index = 0; index < frame_.snapshot_parts(); ++index) {
    frame = co_await gateway.ReadUntilStopped();
    const bool fits = frame != nullptr && frame->has_snapshot_part() &&
                      frame->snapshot_part().index() == index &&
                      content.size() + frame->snapshot_part().content().size() <= kSnapshotBytesMax;
    if (!fits) {
      co_return;
    }
    content += frame->snapshot_part().content();
  }
  if (frame_.snapshot_parts() > 0 && snapshot_.emplace().ParseFromString(content)) {
    snapshot_is_whole_ = snapshot_->session_id() == frame_.session_id();
  }
}

absl::Status AttachRequest::Check(const Profiles& profiles) {
  if (frame_.session_id().empty()) {
    return InvalidArgument("the first frame must be Attach with a session_id");
  }
  if (frame_.snapshot_parts() > 0 && !snapshot_is_whole_) {
    return InvalidArgument(
        "attach.snapshot_parts: expected that many parts of a snapshot of this "
        "session, in order, at most 2 MiB");
  }
  if (frame_.epoch() == 0) {
    return InvalidArgument("attach.epoch: expected at least 1");
  }
  const auto profile = profiles.find(frame_.profile());
  if (profile == profiles.end()) {
    return MakeStatus(absl::StatusCode::kNotFound, "There is no profile named \"{}\".",
                      frame_.profile());
  }
  if (!frame_.model().empty() && frame_.model() != profile->second.model()) {
    return InvalidArgument("The model \"{}\" is not available: this profile uses \"{}\".",
                           frame_.model(), profile->second.model());
  }
  profile_ = &profile->second;
  return absl::OkStatus();
}

}  // namespace voicebridge::worker
