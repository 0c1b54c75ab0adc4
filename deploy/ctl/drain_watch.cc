#include "deploy/ctl/drain_watch.h"

#include <utility>

#include "common/core/status.h"
#include "common/rpc/call_deadline.h"
#include "common/rpc/wire_status.h"
#include "common/rpc/wire_time.h"
#include "deploy/ctl/admin_channel.h"

namespace voicebridge::ctl {
namespace {

// A drain ends within its budget; this is for the way there and back, and for a busy machine.
constexpr Duration kMargin = seconds(2);

TimePoint Now() { return std::chrono::steady_clock::now(); }

}  // namespace

DrainWatch::DrainWatch(const DrainOptions& options)
    : timeout_(options.timeout),
      peer_(options.peer),
      heard_(Now()),
      stub_(v1::Admin::NewStub(ConnectToAdmin(options.address, options.peer))) {
  if (options.request.has_budget()) {
    end_ = Deadline::After(heard_, FromWire(options.request.budget()) + kMargin);
  }
  reader_ = stub_->PrepareAsyncDrain(&context_, options.request, &queue_);
  // Both at once: of a connection that breaks before the first read, gRPC forgets the messages.
  reader_->StartCall(this);
  Read();
}

DrainWatch::~DrainWatch() {
  // A cancelled call gives its tags back at once, whatever the peer does.
  context_.TryCancel();
  queue_.Shutdown();
  void* tag = nullptr;
  bool ok = false;
  while (queue_.Next(&tag, &ok)) {
  }
}

DrainWatch::News DrainWatch::WaitFor(Duration patience) {
  if (over_) {
    return News::kEnd;
  }
  void* tag = nullptr;
  bool ok = false;
  News news = News::kNothing;
  if (queue_.AsyncNext(&tag, &ok, CallDeadlineIn(patience)) == grpc::CompletionQueue::GOT_EVENT) {
    news = OnTag(tag, ok);
  }
  const char* why = OutOfTime(Now());  // Also of a server that never stops talking.
  return news == News::kEnd || why == nullptr ? news : End(DeadlineExceeded("{}", why));
}

const char* DrainWatch::OutOfTime(TimePoint now) const {
  if (end_ && end_->HasPassed(now)) {
    return "the drain is not over, although its time is";
  }
  return now - heard_ >= timeout_ ? "the server says nothing" : nullptr;
}

DrainWatch::News DrainWatch::OnTag(const void* tag, bool ok) {
  if (tag == &finish_) {
    return OnFinish();
  }
  if (tag != &read_) {
    return News::kNothing;  // The request is sent.
  }
  if (!ok) {
    reader_->Finish(&finish_, &finish_);
    return News::kNothing;
  }
  const News news = OnProgress();
  if (news != News::kEnd) {
    Read();
  }
  return news;
}

void DrainWatch::Read() { reader_->Read(&read_, &read_); }

// With the summary all is said: the server may be gone by now, and how its connection ended says
// nothing of the drain.
DrainWatch::News DrainWatch::OnProgress() {
  heard_ = Now();
  progress_ = std::exchange(read_, v1::DrainProgress());
  if (!end_) {
    end_ = Deadline::After(heard_, FromWire(progress_->time_left()) + kMargin);
  }
  return progress_->has_summary() ? End(absl::OkStatus()) : News::kProgress;
}

DrainWatch::News DrainWatch::OnFinish() {
  return End(finish_.ok() ? Unavailable("the call ended without a summary")
                          : ExplainFailure(FromGrpc(finish_), peer_));
}

DrainWatch::News DrainWatch::End(absl::Status status) {
  over_ = true;
  status_ = std::move(status);
  return News::kEnd;
}

Duration DrainWatch::TimeLeft() const {
  if (!progress_) {
    return Duration::zero();
  }
  return Deadline::After(heard_, FromWire(progress_->time_left())).Remaining(Now());
}

}  // namespace voicebridge::ctl
