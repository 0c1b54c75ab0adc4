// What an operator may do with the sessions of a process.
#pragma once

#include <absl/status/statusor.h>

#include <functional>
#include <string>

#include "voicebridge/v1/admin.pb.h"

namespace voicebridge {

// Called on gRPC's threads, overlapping; returns at once. `done` is called at most once, on any
// thread, within a bound; a call that is still open when the admin server stops is ended by that.
class AdminSessions {
 public:
  template <class Response>
  using Done = std::function<void(absl::StatusOr<Response>)>;

  virtual ~AdminSessions() = default;

  virtual void List(Done<v1::ListSessionsResponse> done) = 0;
  // NOT_FOUND: no such session here. DEADLINE_EXCEEDED: it was told to end and has not yet.
  virtual void End(std::string session_id, Done<v1::EndSessionResponse> done) = 0;
  // As End, and then all that is stored of it. NOT_FOUND: neither here nor in the store;
  // FAILED_PRECONDITION: this process has no store.
  virtual void Delete(std::string session_id, Done<v1::DeleteSessionResponse> done) = 0;
};

}  // namespace voicebridge
