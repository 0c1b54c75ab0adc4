#include "bridge_worker/store/retention.h"

#include <functional>
#include <utility>

#include "common/core/status.h"

namespace voicebridge::worker {
namespace {

constexpr Duration kInterval = hours(1);
// Not longer than a statement may take: a deletion that is too much for the database is not begun
// again at once, while everybody else waits. The next hour does.
constexpr Duration kDeleteMax = seconds(5);

}  // namespace

Awaitable<void> KeepRetention(StoreThread& store, Duration age, Clock& clock, Logger& logger) {
  bool cancelled = false;
  while (!cancelled) {
    std::function<absl::StatusOr<std::size_t>(Store&)> job = [age](Store& opened) {
      return opened.DeleteOlderThan(age);
    };
    const absl::StatusOr<std::size_t> deleted = co_await store.Do<absl::StatusOr<std::size_t>>(
        std::move(job), 0, Deadline::After(clock.Now(), kDeleteMax));
    if (!deleted.ok()) {
      logger.Warning("retention.failed", {{"reason", Message(deleted.status())}});
    } else if (*deleted > 0) {
      logger.Info("retention.deleted", {{"sessions", *deleted}});
    }
    const bool more = deleted.ok() && *deleted == Store::kDeletedMax;
    const Duration pause = more ? Duration::zero() : kInterval;
    co_await clock.SleepUntil(Deadline::After(clock.Now(), pause));
    cancelled = co_await IsCancelled();
  }
}

}  // namespace voicebridge::worker
