#include "gateway/workers/worker_link.h"

#include <grpcpp/create_channel.h>

#include <utility>

#include "common/core/limits.h"

namespace voicebridge::gateway {
namespace {

constexpr int kConnectMaxMs = 3000;
// What is sent and not acknowledged for this long, and a ping that is not answered, ends the
// connection and with it every session on it. Longer than the silence after which a worker gets no
// new sessions: a network, or a host, that is back by then has lost nobody.
constexpr int kUnansweredMaxMs = 10'000;

grpc::ChannelArguments Arguments() {
  grpc::ChannelArguments arguments;
  arguments.SetMaxReceiveMessageSize(limits::kGrpcMessageMax);
  arguments.SetMaxSendMessageSize(limits::kGrpcMessageMax);
  // Workers are addressed directly; and a worker that came back is found within a second.
  arguments.SetInt(GRPC_ARG_ENABLE_HTTP_PROXY, 0);
  arguments.SetInt(GRPC_ARG_INITIAL_RECONNECT_BACKOFF_MS, 100);
  arguments.SetInt(GRPC_ARG_MAX_RECONNECT_BACKOFF_MS, 1000);
  // In spite of its name this is what one attempt gets: less than a busy worker needs to answer
  // would break off every attempt, and the worker would stay away.
  arguments.SetInt(GRPC_ARG_MIN_RECONNECT_BACKOFF_MS, kConnectMaxMs);
  arguments.SetInt(GRPC_ARG_KEEPALIVE_TIME_MS, 10'000);
  arguments.SetInt(GRPC_ARG_KEEPALIVE_TIMEOUT_MS, kUnansweredMaxMs);
  // A stalled session may hold this much in the transport, and no more, whatever the probe would
  // say.
  arguments.SetInt(GRPC_ARG_HTTP2_BDP_PROBE, 0);
  arguments.SetInt(GRPC_ARG_HTTP2_STREAM_LOOKAHEAD_BYTES, 256 << 10);
  return arguments;
}

}  // namespace

void WorkerLinks::Set(const std::vector<std::string>& addresses) {
  auto stubs = std::make_shared<Stubs>();
  for (const std::string& address : addresses) {
    stubs->emplace(address, StubOf(address));
  }
  stubs_.store(std::move(stubs));
}

std::vector<std::string> WorkerLinks::addresses() const {
  std::vector<std::string> addresses;
  for (const auto& [address, stub] : *stubs_.load()) {
    addresses.push_back(address);
  }
  return addresses;
}

WorkerLinks::Stub WorkerLinks::StubOf(const std::string& address) const {
  const std::shared_ptr<const Stubs> stubs = stubs_.load();
  const auto found = stubs->find(address);
  if (found != stubs->end()) {
    return found->second;
  }
  return Open(address);
}

WorkerLinks::Stub WorkerLinks::Open(const std::string& address) const {
  grpc::ChannelArguments arguments = Arguments();
  if (tls_.on() && !name_.empty()) {
    // Verified in place of the address, and sent as the name that is asked for.
    arguments.SetString(GRPC_ARG_DEFAULT_AUTHORITY, name_);
  }
  return v1::BridgeWorker::NewStub(
      grpc::CreateCustomChannel(address, tls_.ForChannels(), arguments));
}

void WorkerLinks::Renew() {
  auto stubs = std::make_shared<Stubs>();
  for (const std::string& address : addresses()) {
    stubs->emplace(address, Open(address));
  }
  stubs_.store(std::move(stubs));
}

std::shared_ptr<WorkerStream> WorkerLinks::PrepareConverse(const std::string& address,
                                                           Shard& shard) const {
  const Stub stub = StubOf(address);
  const auto prepare = [&](grpc::ClientContext* context) {
    return stub->PrepareAsyncConverse(context, &shard.queue());
  };
  return std::make_shared<WorkerStream>(shard.executor(), prepare);
}

std::unique_ptr<WorkerStatusReader> WorkerLinks::PrepareWatch(const std::string& address,
                                                              Shard& shard) const {
  const Stub stub = StubOf(address);
  const auto prepare = [&](grpc::ClientContext* context) {
    return stub->PrepareAsyncWatchStatus(context, v1::WatchStatusRequest(), &shard.queue());
  };
  return std::make_unique<WorkerStatusReader>(shard.executor(), prepare);
}

std::unique_ptr<WorkerDrainReader> WorkerLinks::PrepareDrain(const std::string& address,
                                                             const v1::DrainRequest& request,
                                                             Shard& shard) const {
  const Stub stub = StubOf(address);
  const auto prepare = [&](grpc::ClientContext* context) {
    return stub->PrepareAsyncDrain(context, request, &shard.queue());
  };
  return std::make_unique<WorkerDrainReader>(shard.executor(), prepare);
}

std::unique_ptr<GetReportCall> WorkerLinks::PrepareGetReport(const std::string& address,
                                                             const v1::GetReportRequest& request,
                                                             Shard& shard,
                                                             Duration time_left) const {
  const Stub stub = StubOf(address);
  const auto prepare = [&](grpc::ClientContext* context) {
    return stub->PrepareAsyncGetReport(context, request, &shard.queue());
  };
  return std::make_unique<GetReportCall>(shard.executor(), time_left, prepare);
}

std::unique_ptr<RetryAssessmentCall> WorkerLinks::PrepareRetryAssessment(
    const std::string& address, const v1::RetryAssessmentRequest& request, Shard& shard,
    Duration time_left) const {
  const Stub stub = StubOf(address);
  const auto prepare = [&](grpc::ClientContext* context) {
    return stub->PrepareAsyncRetryAssessment(context, request, &shard.queue());
  };
  return std::make_unique<RetryAssessmentCall>(shard.executor(), time_left, prepare);
}

}  // namespace voicebridge::gateway
