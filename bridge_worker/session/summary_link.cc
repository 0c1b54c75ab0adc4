#include "bridge_worker/session/summary_link.h"

#include <optional>
#include <utility>

#include "bridge_worker/conversation/summary_speech.h"
#include "common/async/first_to_finish.h"
#include "common/core/limits.h"

namespace voicebridge::worker {

SummaryLink::SummaryLink(RealtimeConnector& connector, std::string model, Clock& clock,
                         const net::any_io_executor& executor, Feed feed)
    : connector_(connector),
      model_(std::move(model)),
      clock_(clock),
      feed_(std::move(feed)),
      queue_(executor, limits::kQueueHighWater, limits::kQueueLowWater),
      changed_(executor) {}

Awaitable<void> SummaryLink::Run(TaskGroup& tasks) {
  co_await FirstToFinish(Dial(), WaitUntilClosed());
  if (connection_ == nullptr || !tasks.TrySpawn("write summary", Write())) {
    feed_(SummaryClosed{});
    co_return;
  }
  while (true) {
    const Incoming incoming = co_await connection_->ReadUntilStopped();
    if (incoming.kind == Incoming::Kind::kClosed) {
      feed_(SummaryClosed{});
      co_return;
    }
    feed_(SummaryMessage{incoming.kind == Incoming::Kind::kText ? incoming.payload
                                                                : std::string_view()});
  }
}

Awaitable<void> SummaryLink::Dial() {
  RealtimeConnectResult result = co_await connector_.Connect(
      model_, Deadline::After(clock_.Now(), SummarySpeech::kConfigureMax));
  connection_ = std::move(result.connection);
}

Awaitable<void> SummaryLink::WaitUntilClosed() {
  const auto is_closed = [this] { return closed_; };
  co_await changed_.WaitUntil(is_closed);
}

void SummaryLink::Send(std::string json) {
  const std::size_t bytes = json.size();
  queue_.Push(std::move(json), bytes);
}

void SummaryLink::Close() {
  queue_.Discard();
  closed_ = true;
  changed_.Notify();
}

void SummaryLink::Abort() {
  if (connection_ != nullptr) {
    connection_->Abort();
  }
}

Awaitable<void> SummaryLink::Write() {
  std::optional<std::string> json = co_await queue_.Pop();
  while (json) {
    const absl::Status written =
        co_await connection_->SendEvent(*json, Deadline::After(clock_.Now(), limits::kWriteMax));
    if (!written.ok()) {
      connection_->Abort();
      co_return;
    }
    json = co_await queue_.Pop();
  }
  co_await connection_->Close(Deadline::After(clock_.Now(), limits::kCloseMax));
}

}  // namespace voicebridge::worker
