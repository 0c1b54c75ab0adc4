#include "bridge_worker/session/stored_session.h"

#include <cstddef>
#include <functional>
#include <utility>

namespace voicebridge::worker {

Awaitable<absl::Status> DeleteStoredSession(StoreThread& store, std::string session_id,
                                            Deadline deadline) {
  const std::size_t bytes = session_id.size();
  std::function<absl::Status(Store&)> job = [id = std::move(session_id)](Store& database) {
    return database.DeleteSession(id);
  };
  return store.Do<absl::Status>(std::move(job), bytes, deadline);
}

}  // namespace voicebridge::worker
