// All sessions of a run: opened a few at a time, closed politely.
#pragma once

#include <absl/status/statusor.h>

#include <cstddef>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "tests/load/client_session.h"
#include "tests/load/endpoint.h"
#include "tests/load/histogram.h"
#include "tests/load/options.h"

namespace voicebridge::load {

// Owned by the load, which gets the sessions' audio and events; readiness and failures are kept
// here. Even sessions of a mixed run speak JSON, odd ones binary.
class SessionPool final : private SessionOwner {
 public:
  // Audio and events after session.created.
  class Listener {
   public:
    virtual ~Listener() = default;
    virtual void OnAudio(std::size_t session, std::string_view pcm) = 0;
    virtual void OnEvent(std::size_t session, std::string_view type) = 0;
  };

  static absl::StatusOr<std::unique_ptr<SessionPool>> Create(EventLoop& loop,
                                                             const LoadOptions& options,
                                                             Listener& listener);

  // Until all are ready or failed, at most until the deadline; who is not ready then has failed.
  void OpenAll(TimePoint deadline);
  // Close frames, then the answers, at most until the deadline.
  void CloseAll(TimePoint deadline);

  std::size_t size() const { return sessions_.size(); }
  ClientSession& at(std::size_t session) { return *sessions_[session]; }

  // By session: why.
  const std::map<std::size_t, std::string>& failures() const { return failures_; }
  std::size_t opened() const { return opened_; }
  // From the connect to session.created.
  const Histogram& open_times() const { return open_times_; }

 private:
  // More at once would measure a crowd at the door, which is not what this tool is for.
  static constexpr std::size_t kOpeningMax = 16;

  SessionPool(EventLoop& loop, const LoadOptions& options, Endpoint endpoint, Listener& listener);

  void OnReady(std::size_t session) override;
  void OnAudio(std::size_t session, std::string_view pcm) override;
  void OnEvent(std::size_t session, std::string_view type) override;
  void OnFailed(std::size_t session, std::string_view why) override;
  void OpenNext();
  // Well or badly.
  void Opened(std::size_t session);

  EventLoop& loop_;
  Listener& listener_;
  Endpoint endpoint_;
  UpgradeRequest request_;
  std::vector<std::unique_ptr<ClientSession>> sessions_;
  std::vector<std::optional<TimePoint>> opening_since_;  // Of those that are being opened.
  std::size_t asked_ = 0;
  std::size_t opening_ = 0;
  std::size_t opened_ = 0;
  std::map<std::size_t, std::string> failures_;
  Histogram open_times_;
};

}  // namespace voicebridge::load
