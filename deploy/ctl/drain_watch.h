// A Drain call, watched.
#pragma once

#include <absl/status/status.h>
#include <grpcpp/client_context.h>
#include <grpcpp/completion_queue.h>
#include <grpcpp/support/async_stream.h>

#include <memory>
#include <optional>
#include <string>

#include "common/core/certificate.h"
#include "common/core/deadline.h"
#include "common/core/time.h"
#include "voicebridge/v1/admin.grpc.pb.h"

namespace voicebridge::ctl {

struct DrainOptions {
  std::string address;               // HOST:PORT of an admin listener.
  std::optional<PeerIdentity> peer;  // None: in the clear.
  v1::DrainRequest request;
  bool json = false;               // One JSON object instead of progress and text.
  Duration timeout = seconds(10);  // Without a word from the server.
};

// Begins with the construction. Destruction gives the call up, and leaves the drain to the server.
// For one thread.
class DrainWatch {
 public:
  enum class News { kNothing, kProgress, kEnd };

  explicit DrainWatch(const DrainOptions& options);
  ~DrainWatch();
  DrainWatch(const DrainWatch&) = delete;
  DrainWatch& operator=(const DrainWatch&) = delete;

  // Returns with the first news, at the latest after `patience`. The end comes in any case: with a
  // summary, with an error, or when the server is silent for the timeout or far beyond the budget.
  News WaitFor(Duration patience);

  // The last one; none before the server has said a word.
  const std::optional<v1::DrainProgress>& progress() const { return progress_; }
  Duration TimeLeft() const;

  // After the end. OK: progress() has a summary.
  const absl::Status& status() const { return status_; }

 private:
  News OnTag(const void* tag, bool ok);
  News OnProgress();
  void Read();
  News OnFinish();
  News End(absl::Status status);
  // Null: not yet.
  const char* OutOfTime(TimePoint now) const;

  const Duration timeout_;
  const std::optional<PeerIdentity> peer_;
  std::optional<Deadline> end_;  // Of the whole; known once the budget is.
  TimePoint heard_;              // The last word of the server.
  grpc::CompletionQueue queue_;
  grpc::ClientContext context_;
  const std::unique_ptr<v1::Admin::Stub> stub_;
  std::unique_ptr<grpc::ClientAsyncReader<v1::DrainProgress>> reader_;
  bool over_ = false;
  v1::DrainProgress read_;  // Its address is the tag of what reads into it; likewise finish_.
  std::optional<v1::DrainProgress> progress_;
  grpc::Status finish_;
  absl::Status status_;
};

}  // namespace voicebridge::ctl
