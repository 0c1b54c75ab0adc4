// The second upstream of a session, which speaks the summary: a connection and its two pumps.
#pragma once

#include <functional>
#include <memory>
#include <string>

#include "bridge_worker/conversation/conversation.h"
#include "bridge_worker/upstream/realtime_connection.h"
#include "common/async/clock.h"
#include "common/async/event.h"
#include "common/async/mailbox.h"
#include "common/async/task_group.h"

namespace voicebridge::worker {

// Owned by the session driver, whose task group runs its pumps; used on its executor.
class SummaryLink {
 public:
  using Feed = std::function<void(ConversationEvent)>;

  SummaryLink(RealtimeConnector& connector, std::string model, Clock& clock,
              const net::any_io_executor& executor, Feed feed);

  // The whole life: dials, reads, and closes. Feeds SummaryMessage, and SummaryClosed at its end.
  Awaitable<void> Run(TaskGroup& tasks);

  void Send(std::string json);
  // Polite: the socket is closed by its writer. Idempotent, also while dialling.
  void Close();
  // The forced end of the socket, if there is one.
  void Abort();

 private:
  Awaitable<void> Dial();
  Awaitable<void> WaitUntilClosed();
  Awaitable<void> Write();

  RealtimeConnector& connector_;
  const std::string model_;
  Clock& clock_;
  const Feed feed_;
  std::unique_ptr<RealtimeConnection> connection_;
  Mailbox<std::string> queue_;
  Event changed_;
  bool closed_ = false;
};

}  // namespace voicebridge::worker
