// How a drain is asked for from outside: by the operator's calls, and by a gateway's fleet drain.
#pragma once

#include <absl/status/statusor.h>

#include <functional>
#include <memory>

#include "common/drain/drain_command.h"
#include "voicebridge/v1/drain.pb.h"

namespace voicebridge {

// One open call that watches a drain. Both methods are called on the main thread and must not
// block.
class DrainListener {
 public:
  virtual ~DrainListener() = default;

  // How it goes; the last one has a summary. Only the newest counts.
  virtual void OnProgress(const v1::DrainProgress& progress) = 0;
  // Once, and nothing follows. ABORTED: the drain was undone.
  virtual void OnEnd(const absl::Status& status) = 0;
};

// The methods may be called from any thread and return at once.
class DrainControl {
 public:
  virtual ~DrainControl() = default;

  // `budget`: of the request; null: the process's own. INVALID_ARGUMENT names the field.
  virtual absl::StatusOr<DrainCommand> Check(const v1::DrainRequest& request,
                                             const Duration* budget) const = 0;

  // Begins, or joins the drain that is under way. The process does not leave before the listener
  // was told of the end and Release was called, or its time is up.
  virtual void Drain(DrainCommand command, std::shared_ptr<DrainListener> listener) = 0;
  // The listener has passed on all that it will.
  virtual void Release(const DrainListener* listener) = 0;

  // `done` is called on the main thread. FAILED_PRECONDITION: too late.
  virtual void Undrain(std::function<void(absl::Status)> done) = 0;
};

}  // namespace voicebridge
