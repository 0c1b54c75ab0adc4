// The operator's calls about sessions, answered from the session index.
#pragma once

#include <functional>
#include <string>

#include "common/admin/admin_sessions.h"
#include "common/runtime/session_index.h"
#include "common/runtime/shard.h"

namespace voicebridge {

// Owned by the composition root. Its work is done by tasks of the shard on which the index lives;
// once they are refused, calls are answered UNAVAILABLE.
class SessionAdmin final : public AdminSessions {
 public:
  // Removes all that is stored of a session. Called on the shard.
  using DeleteStored = std::function<Awaitable<absl::Status>(std::string session_id, Deadline)>;

  // Without `delete_stored` this process has no store: Delete is refused.
  SessionAdmin(SessionIndex& index, Shard& shard, DeleteStored delete_stored)
      : index_(index), shard_(shard), delete_stored_(std::move(delete_stored)) {}

  void List(Done<v1::ListSessionsResponse> done) override;
  void End(std::string session_id, Done<v1::EndSessionResponse> done) override;
  void Delete(std::string session_id, Done<v1::DeleteSessionResponse> done) override;

 private:
  // `start` makes the task from `done`, on the shard.
  template <class Response, class Start>
  void Spawn(Done<Response> done, Start start);

  Awaitable<void> DoList(Done<v1::ListSessionsResponse> done);
  Awaitable<void> DoEnd(std::string session_id, Done<v1::EndSessionResponse> done);
  Awaitable<void> DoDelete(std::string session_id, Done<v1::DeleteSessionResponse> done);
  Awaitable<absl::Status> EndAndDelete(std::string session_id);

  SessionIndex& index_;
  Shard& shard_;
  const DeleteStored delete_stored_;
};

}  // namespace voicebridge
