#include "common/observability/session_log.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

namespace voicebridge {

void LogCleanupBegin(Logger& logger, std::string_view session, std::size_t tasks) {
  logger.Info("bridge.cleanup.begin", {{"session", session}, {"tasks", tasks}});
}

void LogCleanupEnd(Logger& logger, std::string_view session, Duration took,
                   const std::vector<std::string_view>& unfinished) {
  if (!unfinished.empty()) {
    const std::string names = fmt::format("{}", fmt::join(unfinished, " "));
    logger.Warning("bridge.cleanup.timeout", {{"session", session}, {"names", names}});
  }
  logger.Info(
      "bridge.cleanup.end",
      {{"session", session}, {"ms", ToSeconds(took) * 1000}, {"abandoned", unfinished.size()}});
}

void LogRemoved(Logger& logger, std::string_view session, EndReason reason, Duration took) {
  logger.Info("session.removed", {{"session", session}, {"reason", TraitsOf(reason).word}});
  logger.Info("session.cleanup.end", {{"session", session}, {"ms", ToSeconds(took) * 1000}});
}

}  // namespace voicebridge
