#include "common/composition/session_admin.h"

#include <boost/asio/post.hpp>
#include <utility>

#include "common/core/status.h"
#include "common/rpc/wire_time.h"

namespace voicebridge {
namespace {

// A session's teardown is bounded by a little more than two polite closes.
constexpr Duration kEndMax = seconds(3);
constexpr Duration kDeleteMax = seconds(5);

}  // namespace

void SessionAdmin::List(Done<v1::ListSessionsResponse> done) {
  Spawn(std::move(done), [this](auto answer) { return DoList(std::move(answer)); });
}

void SessionAdmin::End(std::string session_id, Done<v1::EndSessionResponse> done) {
  Spawn(std::move(done), [this, id = std::move(session_id)](auto answer) mutable {
    return DoEnd(std::move(id), std::move(answer));
  });
}

void SessionAdmin::Delete(std::string session_id, Done<v1::DeleteSessionResponse> done) {
  if (!delete_stored_) {
    done(MakeStatus(absl::StatusCode::kFailedPrecondition,
                    "a gateway stores no sessions: ask a worker's admin address"));
    return;
  }
  Spawn(std::move(done), [this, id = std::move(session_id)](auto answer) mutable {
    return DoDelete(std::move(id), std::move(answer));
  });
}

template <class Response, class Start>
void SessionAdmin::Spawn(Done<Response> done, Start start) {
  // A task group is used on its own executor only.
  net::post(shard_.executor(), [this, done = std::move(done), start = std::move(start)]() mutable {
    if (!shard_.tasks().TrySpawn("admin call", start(done))) {
      done(Unavailable("the process is stopping"));
    }
  });
}

Awaitable<void> SessionAdmin::DoList(Done<v1::ListSessionsResponse> done) {
  const SessionIndex::Sessions sessions = co_await index_.List();
  const TimePoint now = shard_.clock().Now();
  v1::ListSessionsResponse response;
  for (const auto& session : sessions) {
    v1::SessionInfo& info = *response.add_sessions();
    info.set_session_id(session->session_id);
    info.set_profile(session->profile);
    info.set_epoch(session->epoch);
    *info.mutable_age() = ToWire(now - session->added);
  }
  done(std::move(response));
}

Awaitable<void> SessionAdmin::DoEnd(std::string session_id, Done<v1::EndSessionResponse> done) {
  const Deadline deadline = Deadline::After(shard_.clock().Now(), kEndMax);
  const absl::Status ended =
      co_await index_.End(std::move(session_id), v1::END_REASON_ENDED_BY_OPERATOR, deadline);
  if (ended.ok()) {
    done(v1::EndSessionResponse());
  } else {
    done(ended);
  }
}

Awaitable<void> SessionAdmin::DoDelete(std::string session_id,
                                       Done<v1::DeleteSessionResponse> done) {
  const absl::Status deleted = co_await EndAndDelete(std::move(session_id));
  if (deleted.ok()) {
    done(v1::DeleteSessionResponse());
  } else {
    done(deleted);
  }
}

// Ended first, so that nothing is written after the deletion.
Awaitable<absl::Status> SessionAdmin::EndAndDelete(std::string session_id) {
  const Deadline deadline = Deadline::After(shard_.clock().Now(), kDeleteMax);
  const absl::Status ended =
      co_await index_.End(session_id, v1::END_REASON_ENDED_BY_OPERATOR,
                          deadline.EarlierOf(Deadline::After(shard_.clock().Now(), kEndMax)));
  if (!ended.ok() && !absl::IsNotFound(ended)) {
    co_return ended;
  }
  const absl::Status deleted = co_await delete_stored_(session_id, deadline);
  // One that lived here and was never stored is gone as well.
  co_return absl::IsNotFound(deleted) && ended.ok() ? ended : deleted;
}

}  // namespace voicebridge
