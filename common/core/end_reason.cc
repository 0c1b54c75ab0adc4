#include "common/core/end_reason.h"

#include <array>
#include <cstddef>

namespace voicebridge {
namespace {

using absl::StatusCode;

constexpr std::array<EndReasonTraits, v1::EndReason_ARRAYSIZE> kTable = {{
    {v1::END_REASON_UNSPECIFIED, 1011, StatusCode::kInternal, "unspecified"},
    {v1::END_REASON_CLIENT_CLOSED, 1000, StatusCode::kOk, "client_closed"},
    {v1::END_REASON_CLIENT_LOST, 1001, StatusCode::kCancelled, "client_lost"},
    {v1::END_REASON_ENDED_BY_OPERATOR, 1000, StatusCode::kCancelled, "ended_by_operator"},
    {v1::END_REASON_DRAINING, 1001, StatusCode::kUnavailable, "draining"},
    {v1::END_REASON_POLICY, 1008, StatusCode::kInvalidArgument, "policy"},
    {v1::END_REASON_PROTOCOL_ERROR, 1008, StatusCode::kInvalidArgument, "protocol_error"},
    {v1::END_REASON_SLOW_CLIENT, 1008, StatusCode::kResourceExhausted, "slow_client"},
    {v1::END_REASON_SESSION_LIMIT, 1008, StatusCode::kResourceExhausted, "session_limit"},
    {v1::END_REASON_NO_WORKER, 1013, StatusCode::kUnavailable, "no_worker"},
    {v1::END_REASON_WORKER_LOST, 1011, StatusCode::kUnavailable, "worker_lost"},
    {v1::END_REASON_UPSTREAM_REFUSED, 1011, StatusCode::kFailedPrecondition, "upstream_refused"},
    {v1::END_REASON_UPSTREAM_UNAVAILABLE, 1013, StatusCode::kUnavailable, "upstream_unavailable"},
    {v1::END_REASON_UPSTREAM_LOST, 1011, StatusCode::kUnavailable, "upstream_lost"},
    {v1::END_REASON_UPSTREAM_STALLED, 1011, StatusCode::kDeadlineExceeded, "upstream_stalled"},
    {v1::END_REASON_SUPERSEDED, 1011, StatusCode::kAborted, "superseded"},
    {v1::END_REASON_INTERNAL, 1011, StatusCode::kInternal, "internal"},
}};

constexpr bool EachRowStandsAtItsNumber() {
  for (std::size_t i = 0; i < kTable.size(); ++i) {
    if (kTable[i].reason != static_cast<EndReason>(i)) {
      return false;
    }
  }
  return true;
}
static_assert(EachRowStandsAtItsNumber());

}  // namespace

const EndReasonTraits& TraitsOf(EndReason reason) {
  const auto index = static_cast<std::size_t>(reason);
  return index < kTable.size() ? kTable[index] : kTable[v1::END_REASON_INTERNAL];
}

}  // namespace voicebridge
