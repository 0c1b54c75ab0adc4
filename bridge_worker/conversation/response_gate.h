// One response at a time: which response.create goes to the upstream, and when.
#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "common/core/time.h"

namespace voicebridge::worker {

// Who asked for a response; kUnasked is the upstream's own doing.
enum class ResponsePurpose { kUnasked, kClient, kFollowUp, kSummary };

// A response.create on its way.
struct ResponseRequest {
  std::string event_id;         // What the upstream's errors will name.
  std::string client_event_id;  // What the client's errors name; empty when it gave none.
  std::string json;             // The client's event.
  bool out_of_band = false;  // conversation "none": writes to no conversation, so it needs no turn.
  int tries = 0;
  ResponsePurpose purpose = ResponsePurpose::kClient;
};

// The bookkeeping of responses, of one conversation. At most one response of the default
// conversation is requested or open at any time; further requests are held in order. Out-of-band
// requests pass at once. Voice activity may start a response unasked: it is expected right after
// the commit, and no request goes out meanwhile. Should another one come unexpectedly, it is taken
// for the requested one until the upstream refuses ours; so an open response keeps the request that
// it may belong to.
//
// Bounds: 16 held requests and 2 MiB of them (one larger may wait alone), 16 unconfirmed
// out-of-band requests, 64 open responses, of which the oldest is forgotten.
class ResponseGate {
 public:
  static constexpr std::size_t kHeldMax = 16;
  static constexpr std::size_t kHeldBytesMax = 2U << 20U;
  static constexpr std::size_t kOpenMax = 64;
  static constexpr int kTriesMax = 3;
  static constexpr Duration kStartMax = seconds(10);
  static constexpr Duration kUnaskedStartMax = seconds(2);

  // False: too many wait already.
  bool Offer(ResponseRequest request);

  // The next request that may be sent now, and counts as sent with this call.
  std::optional<ResponseRequest> TakeNext(TimePoint now);

  // Voice activity has committed a turn: the next response is the upstream's own doing.
  void ExpectUnasked(TimePoint now);

  // True: a cancel was asked for before it was created; it is to be sent now.
  bool Created(const std::string& response_id, bool out_of_band);
  void Done(std::string_view response_id);

  enum class Refusal {
    kNotARequest,  // The error is about something else.
    kRetried,      // Ours collided with another response; it waits for its turn again.
    kDropped,      // It collided too, but it was cancelled meanwhile: nobody wants it any more.
    kClosed,       // It will not be answered.
  };
  struct Verdict {
    Refusal refusal = Refusal::kNotARequest;
    std::string client_event_id;
    ResponsePurpose purpose = ResponsePurpose::kClient;
  };
  // An upstream error about the request with this event id. An empty id with the collision's code
  // can only mean the one that is requested.
  Verdict Refused(std::string_view event_id, std::string_view code);

  // Requests that got no response.created in time; they are closed. An unasked response is then no
  // longer expected either.
  std::vector<ResponseRequest> TakeExpired(TimePoint now);
  std::optional<TimePoint> NextDeadline() const;

  // The id of the response that a response.cancel has to name, once per response. Empty id: the
  // default conversation's. A request that is not created yet is remembered as cancelled, and
  // nullopt returned.
  std::optional<std::string> Cancel(std::string_view response_id);

  // The requests that were not sent yet; they are forgotten here.
  std::vector<ResponseRequest> TakeHeld();

  // Of an open response.
  ResponsePurpose PurposeOf(std::string_view response_id) const;

  // Whether anything is requested or open, of whatever conversation.
  bool IsBusy() const;
  std::optional<std::string> ActiveResponse() const;

  // An open response whose remaining audio the client must not get any more.
  void Silence(std::string_view response_id);
  bool IsSilenced(std::string_view response_id) const;
  bool IsOutOfBand(std::string_view response_id) const;

 private:
  struct Sent {
    ResponseRequest request;
    TimePoint deadline;
    bool cancelled = false;
  };
  struct Open {
    std::string id;
    bool out_of_band = false;
    bool cancelled = false;
    bool silenced = false;
    std::optional<Sent> request;  // Only of the default conversation.
  };

  Open* Find(std::string_view response_id);
  const Open* Find(std::string_view response_id) const;
  Open* Active();
  const Open* Active() const;
  Verdict Settle(Sent sent, std::string_view code);
  bool IsRoomFor(const ResponseRequest& request) const;

  std::deque<ResponseRequest> held_;
  std::size_t held_bytes_ = 0;
  std::optional<Sent> requested_;
  std::optional<TimePoint> unasked_until_;
  std::deque<Sent> out_of_band_;  // Sent, not created.
  std::deque<Open> open_;
};

}  // namespace voicebridge::worker
