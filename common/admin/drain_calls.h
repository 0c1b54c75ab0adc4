// The operator's Drain calls: streams of progress on gRPC's callback API.
#pragma once

#include <grpcpp/grpcpp.h>

#include <memory>
#include <mutex>
#include <optional>
#include <set>

#include "common/drain/drain_control.h"

namespace voicebridge {

class DrainCall;

// The calls that are open, for the server that stops: its Shutdown may not return while one is
// unfinished. From any thread.
class DrainCalls {
 public:
  // False: the server stops.
  bool Add(const std::shared_ptr<DrainCall>& call);
  void Remove(const std::shared_ptr<DrainCall>& call);
  void FinishAll();

 private:
  std::mutex mutex_;
  std::set<std::shared_ptr<DrainCall>> open_;
  bool stopped_ = false;
};

// One call. Keeps itself until gRPC is done with it; its peer may be slow or gone, and then misses
// progress, but nobody waits for it beyond the drain's own bounds.
class DrainCall final : public DrainListener, public grpc::ServerWriteReactor<v1::DrainProgress> {
 public:
  // Checks the request and asks for the drain. `drain` null: UNIMPLEMENTED.
  static grpc::ServerWriteReactor<v1::DrainProgress>* Open(
      const v1::DrainRequest& request, DrainControl* drain,
      const std::shared_ptr<DrainCalls>& calls);

  void OnProgress(const v1::DrainProgress& progress) override;
  void OnEnd(const absl::Status& status) override;

  // Ends the call now, without what it has not written yet.
  void Abandon();

 private:
  DrainCall(DrainControl* drain, std::shared_ptr<DrainCalls> calls)
      : drain_(drain), calls_(std::move(calls)) {}

  void OnWriteDone(bool ok) override;
  void OnCancel() override;
  void OnDone() override;
  // With the mutex held: writes, finishes, or waits for more.
  void Proceed();

  DrainControl* const drain_;
  const std::shared_ptr<DrainCalls> calls_;
  std::shared_ptr<DrainCall> self_;

  std::mutex mutex_;
  v1::DrainProgress writing_now_;  // gRPC reads it until OnWriteDone.
  std::optional<v1::DrainProgress> next_;
  std::optional<grpc::Status> end_;
  bool writing_ = false;
  bool finished_ = false;
};

}  // namespace voicebridge
