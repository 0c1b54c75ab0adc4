#include "bridge_worker/conversation/response_gate.h"

#include <algorithm>
#include <iterator>
#include <utility>

namespace voicebridge::worker {
namespace {

constexpr std::string_view kCollision = "conversation_already_has_active_response";

}  // namespace

bool ResponseGate::IsRoomFor(const ResponseRequest& request) const {
  if (request.out_of_band) {
    return out_of_band_.size() < kHeldMax;
  }
  if (held_.empty()) {
    return true;
  }
  return held_.size() < kHeldMax && held_bytes_ + request.json.size() <= kHeldBytesMax;
}

bool ResponseGate::Offer(ResponseRequest request) {
  if (!IsRoomFor(request)) {
    return false;
  }
  held_bytes_ += request.json.size();
  held_.push_back(std::move(request));
  return true;
}

std::optional<ResponseRequest> ResponseGate::TakeNext(TimePoint now) {
  const bool turn_is_free = !requested_ && !unasked_until_ && Active() == nullptr;
  const auto next = std::find_if(held_.begin(), held_.end(), [&](const ResponseRequest& request) {
    return request.out_of_band || turn_is_free;
  });
  if (next == held_.end()) {
    return std::nullopt;
  }
  Sent sent{std::move(*next), now + kStartMax};
  held_.erase(next);
  held_bytes_ -= sent.request.json.size();
  ++sent.request.tries;
  ResponseRequest request = sent.request;
  if (request.out_of_band) {
    sent.request.json.clear();  // Never sent again.
    out_of_band_.push_back(std::move(sent));
  } else {
    requested_ = std::move(sent);
  }
  return request;
}

void ResponseGate::ExpectUnasked(TimePoint now) {
  if (Active() == nullptr) {
    unasked_until_ = now + kUnaskedStartMax;
  }
}

bool ResponseGate::Created(const std::string& response_id, bool out_of_band) {
  if (Find(response_id) != nullptr) {
    return false;
  }
  if (open_.size() >= kOpenMax) {
    open_.pop_front();
  }
  Open& open = open_.emplace_back(Open{response_id, out_of_band, false, false, std::nullopt});
  if (out_of_band) {
    if (!out_of_band_.empty()) {
      out_of_band_.pop_front();  // They are created in the order in which they were asked for.
    }
    return false;
  }
  if (std::exchange(unasked_until_, std::nullopt)) {
    return false;
  }
  open.request = std::exchange(requested_, std::nullopt);
  return open.request && open.request->cancelled;
}

void ResponseGate::Done(std::string_view response_id) {
  std::erase_if(open_, [&](const Open& open) { return open.id == response_id; });
}

ResponseGate::Verdict ResponseGate::Refused(std::string_view event_id, std::string_view code) {
  const bool names_none = event_id.empty() && code == kCollision;
  if (requested_ && (names_none || requested_->request.event_id == event_id)) {
    return Settle(*std::exchange(requested_, std::nullopt), code);
  }
  if (event_id.empty()) {
    return {};
  }
  for (Open& open : open_) {
    if (open.request && open.request->request.event_id == event_id) {
      return Settle(*std::exchange(open.request, std::nullopt), code);
    }
  }
  const auto sent = std::find_if(out_of_band_.begin(), out_of_band_.end(), [&](const Sent& entry) {
    return entry.request.event_id == event_id;
  });
  if (sent == out_of_band_.end()) {
    return {};
  }
  Verdict verdict{Refusal::kClosed, sent->request.client_event_id, sent->request.purpose};
  out_of_band_.erase(sent);
  return verdict;
}

ResponseGate::Verdict ResponseGate::Settle(Sent sent, std::string_view code) {
  Verdict verdict{Refusal::kClosed, sent.request.client_event_id, sent.request.purpose};
  if (code != kCollision) {
    return verdict;
  }
  if (sent.cancelled) {
    verdict.refusal = Refusal::kDropped;
  } else if (sent.request.tries < kTriesMax) {
    verdict.refusal = Refusal::kRetried;
    held_bytes_ += sent.request.json.size();
    held_.push_front(std::move(sent.request));
  }
  return verdict;
}

std::vector<ResponseRequest> ResponseGate::TakeExpired(TimePoint now) {
  std::vector<ResponseRequest> expired;
  if (requested_ && requested_->deadline <= now) {
    expired.push_back(std::move(requested_->request));
    requested_.reset();
  }
  if (unasked_until_ && *unasked_until_ <= now) {
    unasked_until_.reset();
  }
  while (!out_of_band_.empty() && out_of_band_.front().deadline <= now) {
    expired.push_back(std::move(out_of_band_.front().request));
    out_of_band_.pop_front();
  }
  return expired;
}

std::optional<TimePoint> ResponseGate::NextDeadline() const {
  std::optional<TimePoint> next = unasked_until_;
  if (requested_) {
    next = std::min(next.value_or(TimePoint::max()), requested_->deadline);
  }
  if (!out_of_band_.empty()) {
    next = std::min(next.value_or(TimePoint::max()), out_of_band_.front().deadline);
  }
  return next;
}

std::optional<std::string> ResponseGate::Cancel(std::string_view response_id) {
  if (response_id.empty() && requested_) {
    requested_->cancelled = true;
  }
  Open* open = response_id.empty() ? Active() : Find(response_id);
  if (open != nullptr) {
    if (std::exchange(open->cancelled, true)) {
      return std::nullopt;
    }
    if (open->request) {
      open->request->cancelled = true;
    }
    return open->id;
  }
  return std::nullopt;
}

std::vector<ResponseRequest> ResponseGate::TakeHeld() {
  std::vector<ResponseRequest> held(std::make_move_iterator(held_.begin()),
                                    std::make_move_iterator(held_.end()));
  held_.clear();
  held_bytes_ = 0;
  return held;
}

ResponsePurpose ResponseGate::PurposeOf(std::string_view response_id) const {
  const Open* open = Find(response_id);
  return open != nullptr && open->request ? open->request->request.purpose
                                          : ResponsePurpose::kUnasked;
}

bool ResponseGate::IsBusy() const {
  return requested_ || unasked_until_ || !out_of_band_.empty() || !open_.empty();
}

std::optional<std::string> ResponseGate::ActiveResponse() const {
  const Open* active = Active();
  return active == nullptr ? std::nullopt : std::optional<std::string>(active->id);
}

void ResponseGate::Silence(std::string_view response_id) {
  if (Open* open = Find(response_id)) {
    open->silenced = true;
  }
}

bool ResponseGate::IsSilenced(std::string_view response_id) const {
  const Open* open = Find(response_id);
  return open != nullptr && open->silenced;
}

bool ResponseGate::IsOutOfBand(std::string_view response_id) const {
  const Open* open = Find(response_id);
  return open != nullptr && open->out_of_band;
}

ResponseGate::Open* ResponseGate::Find(std::string_view response_id) {
  return const_cast<Open*>(std::as_const(*this).Find(response_id));
}

const ResponseGate::Open* ResponseGate::Find(std::string_view response_id) const {
  const auto found = std::find_if(open_.begin(), open_.end(),
                                  [&](const Open& open) { return open.id == response_id; });
  return found == open_.end() ? nullptr : &*found;
}

ResponseGate::Open* ResponseGate::Active() {
  return const_cast<Open*>(std::as_const(*this).Active());
}

const ResponseGate::Open* ResponseGate::Active() const {
  const auto found = std::find_if(open_.rbegin(), open_.rend(),
                                  [](const Open& open) { return !open.out_of_band; });
  return found == open_.rend() ? nullptr : &*found;
}

}  // namespace voicebridge::worker
