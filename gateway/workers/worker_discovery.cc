#include "gateway/workers/worker_discovery.h"

#include <algorithm>
#include <utility>

#include "common/core/status.h"
#include "common/websocket/resolve.h"

namespace voicebridge::gateway {
namespace {

constexpr Duration kInterval = seconds(1);
constexpr Duration kResolveMax = seconds(2);

std::vector<std::string> AddressesOf(const Endpoints& endpoints) {
  std::vector<std::string> addresses;
  for (const net::ip::tcp::endpoint& endpoint : endpoints) {
    const std::string host = endpoint.address().to_string();
    addresses.push_back(endpoint.address().is_v6() ? fmt::format("[{}]:{}", host, endpoint.port())
                                                   : fmt::format("{}:{}", host, endpoint.port()));
  }
  std::sort(addresses.begin(), addresses.end());
  addresses.erase(std::unique(addresses.begin(), addresses.end()), addresses.end());
  return addresses;
}

}  // namespace

WorkerDiscovery::WorkerDiscovery(std::string host, std::string port, WorkerWatch& watch,
                                 Shard& shard, Logger& logger)
    : host_(std::move(host)),
      port_(std::move(port)),
      watch_(watch),
      shard_(shard),
      logger_(logger) {}

void WorkerDiscovery::Start() { shard_.tasks().TrySpawn("discover workers", Run()); }

Awaitable<void> WorkerDiscovery::Run() {
  Clock& clock = shard_.clock();
  bool go_on = true;
  while (go_on) {
    co_await Look();
    go_on = co_await clock.SleepUntil(Deadline::After(clock.Now(), kInterval));
  }
}

Awaitable<void> WorkerDiscovery::Look() {
  const absl::StatusOr<Endpoints> endpoints =
      co_await Resolve(host_, port_, Deadline::After(shard_.clock().Now(), kResolveMax));
  if (!endpoints.ok()) {
    if (!std::exchange(unresolved_, true)) {
      logger_.Warning("workers.unresolved", {{"reason", Message(endpoints.status())}});
    }
    co_return;
  }
  unresolved_ = false;
  std::vector<std::string> addresses = AddressesOf(*endpoints);
  if (addresses != addresses_) {
    addresses_ = std::move(addresses);
    logger_.Info("workers.listed", {{"name", host_}, {"workers", addresses_.size()}});
    watch_.Follow(addresses_);
  }
}

}  // namespace voicebridge::gateway
