// The addresses of a host, by its name.
#pragma once

#include <absl/status/statusor.h>

#include <boost/asio/execution_context.hpp>
#include <map>
#include <memory>
#include <string>
#include <utility>

#include "common/async/awaitable.h"
#include "common/core/deadline.h"
#include "common/core/live_tasks.h"
#include "common/websocket/resolve.h"

namespace voicebridge {

// The system's resolver blocks and cannot be interrupted, so each name is looked up on a thread of
// its own. Who asks for a name that is being looked up waits for the same answer: there are never
// more threads than names, and a name that is not answered holds up no other. A thread that does
// not come back is left behind, also by the destructor.
//
// Each io_context has one, made when it is first asked for; used on the context's thread.
class NameResolver final : public net::execution_context::service {
 public:
  static net::execution_context::id id;

  static NameResolver& Of(const net::any_io_executor& executor);

  explicit NameResolver(net::execution_context& context);
  ~NameResolver() override;

  // Its calls of the system's resolver are counted there; it outlives every thread of the process.
  void CountIn(LiveTasks& library_calls) { library_calls_ = &library_calls; }

  // DEADLINE_EXCEEDED, UNAVAILABLE.
  Awaitable<absl::StatusOr<Endpoints>> Resolve(std::string host, std::string port,
                                               Deadline deadline);

 private:
  using Name = std::pair<std::string, std::string>;  // Host and port.
  struct Answer;
  struct Lookup;
  struct Link;

  static void LookUp(const std::shared_ptr<Link>& link, Name name, LiveTasks* library_calls);
  static Awaitable<void> WaitForAnswer(std::shared_ptr<Lookup> lookup);

  void shutdown() override;
  absl::StatusOr<std::shared_ptr<Lookup>> Join(const Name& name, const net::any_io_executor& its);
  void OnAnswer(const Name& name, Answer answer);

  LiveTasks* library_calls_ = nullptr;  // Not counted by whoever does not ask for it.
  std::map<Name, std::shared_ptr<Lookup>> lookups_;
  std::shared_ptr<Link> link_;
};

}  // namespace voicebridge
