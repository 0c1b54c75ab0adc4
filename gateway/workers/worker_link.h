// Channels to the workers, and the calls on them.
#pragma once

#include <grpcpp/channel.h>

#include <atomic>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "common/rpc/client_stream.h"
#include "common/rpc/client_unary.h"
#include "common/rpc/peer_tls.h"
#include "common/runtime/shard.h"
#include "voicebridge/v1/bridge.grpc.pb.h"

namespace voicebridge::gateway {

using WorkerStream = ClientStream<v1::ToGateway, v1::ToWorker>;
using WorkerStatusReader = ClientReader<v1::WorkerStatus>;
using WorkerDrainReader = ClientReader<v1::DrainProgress>;
using GetReportCall = ClientUnary<v1::GetReportResponse>;
using RetryAssessmentCall = ClientUnary<v1::RetryAssessmentResponse>;

// One channel per worker, shared by all shards; a call lives on the completion queue of the shard
// that opens it, and keeps its channel. Set and Renew are called on
// one shard, all else on any.
class WorkerLinks {
 public:
  // With TLS each worker must have a certificate for `name`; empty: for the host of its address.
  WorkerLinks(const PeerTls& tls, std::string name) : tls_(tls), name_(std::move(name)) {}

  // A channel for each, kept where there is one already.
  void Set(const std::vector<std::string>& addresses);

  // New channels for all, with the present identity; calls that are open keep their old ones.
  void Renew();

  std::vector<std::string> addresses() const;

  // The call is prepared, not started. `address` may have left a moment ago.
  std::shared_ptr<WorkerStream> PrepareConverse(const std::string& address, Shard& shard) const;
  std::unique_ptr<WorkerStatusReader> PrepareWatch(const std::string& address, Shard& shard) const;
  std::unique_ptr<WorkerDrainReader> PrepareDrain(const std::string& address,
                                                  const v1::DrainRequest& request,
                                                  Shard& shard) const;
  std::unique_ptr<GetReportCall> PrepareGetReport(const std::string& address,
                                                  const v1::GetReportRequest& request, Shard& shard,
                                                  Duration time_left) const;
  std::unique_ptr<RetryAssessmentCall> PrepareRetryAssessment(
      const std::string& address, const v1::RetryAssessmentRequest& request, Shard& shard,
      Duration time_left) const;

 private:
  using Stub = std::shared_ptr<v1::BridgeWorker::Stub>;
  using Stubs = std::map<std::string, Stub>;

  Stub StubOf(const std::string& address) const;
  Stub Open(const std::string& address) const;

  const PeerTls& tls_;
  const std::string name_;
  std::atomic<std::shared_ptr<const Stubs>> stubs_ = std::make_shared<const Stubs>();
};

}  // namespace voicebridge::gateway
