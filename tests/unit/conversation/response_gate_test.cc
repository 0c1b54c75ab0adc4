#include "bridge_worker/conversation/response_gate.h"

#include <gtest/gtest.h>

#include <string>

namespace voicebridge::worker {
namespace {

constexpr TimePoint kStart{};
constexpr std::string_view kCollision = "conversation_already_has_active_response";

ResponseRequest Request(const std::string& event_id, bool out_of_band = false) {
  ResponseRequest request;
  request.event_id = event_id;
  request.client_event_id = "client_" + event_id;
  request.json = "{}";
  request.out_of_band = out_of_band;
  return request;
}

std::string Next(ResponseGate& gate, TimePoint now = kStart) {
  const auto request = gate.TakeNext(now);
  return request ? request->event_id : "";
}

TEST(ResponseGate, SendsOneAndHoldsTheOthersInOrder) {
  ResponseGate gate;
  for (const char* id : {"a", "b", "c"}) {
    ASSERT_TRUE(gate.Offer(Request(id)));
  }
  EXPECT_EQ(Next(gate), "a");
  EXPECT_EQ(Next(gate), "");
  gate.Created("r1", false);
  EXPECT_EQ(Next(gate), "");
  gate.Done("r1");
  EXPECT_EQ(Next(gate), "b");
  EXPECT_EQ(Next(gate), "");
  gate.Created("r2", false);
  gate.Done("r2");
  EXPECT_EQ(Next(gate), "c");
}

TEST(ResponseGate, HoldsSixteenAndNoMore) {
  ResponseGate gate;
  ASSERT_TRUE(gate.Offer(Request("first")));
  EXPECT_EQ(Next(gate), "first");
  for (std::size_t i = 0; i < ResponseGate::kHeldMax; ++i) {
    EXPECT_TRUE(gate.Offer(Request("held")));
  }
  EXPECT_FALSE(gate.Offer(Request("too many")));
  EXPECT_TRUE(gate.Offer(Request("aside", true)));
}

TEST(ResponseGate, HoldsTwoMebibytesOrOneLargerRequest) {
  ResponseGate gate;
  ResponseRequest large = Request("large");
  large.json.assign(ResponseGate::kHeldBytesMax + 1, 'x');
  EXPECT_TRUE(gate.Offer(large));
  EXPECT_FALSE(gate.Offer(Request("b")));
  EXPECT_EQ(Next(gate), "large");
  EXPECT_TRUE(gate.Offer(Request("b")));
}

TEST(ResponseGate, LetsOutOfBandRequestsPass) {
  ResponseGate gate;
  gate.Offer(Request("a"));
  EXPECT_EQ(Next(gate), "a");
  gate.Offer(Request("b"));
  gate.Offer(Request("aside", true));
  EXPECT_EQ(Next(gate), "aside");
  gate.Created("r_aside", true);
  EXPECT_TRUE(gate.IsOutOfBand("r_aside"));
  EXPECT_FALSE(gate.ActiveResponse());
  gate.Created("r_a", false);
  EXPECT_EQ(gate.ActiveResponse(), "r_a");
  gate.Done("r_aside");
  EXPECT_EQ(Next(gate), "");
  gate.Done("r_a");
  EXPECT_EQ(Next(gate), "b");
}

TEST(ResponseGate, SendsNothingWhileAnUnaskedResponseIsOpenOrExpected) {
  ResponseGate gate;
  gate.ExpectUnasked(kStart);
  gate.Offer(Request("a"));
  EXPECT_EQ(Next(gate), "");
  EXPECT_TRUE(gate.IsBusy());
  gate.Created("unasked", false);
  EXPECT_EQ(Next(gate), "");
  gate.Done("unasked");
  EXPECT_EQ(Next(gate), "a");
}

TEST(ResponseGate, StopsExpectingAnUnaskedResponseAfterAWhile) {
  ResponseGate gate;
  gate.ExpectUnasked(kStart);
  gate.Offer(Request("a"));
  const TimePoint later = kStart + ResponseGate::kUnaskedStartMax;
  EXPECT_EQ(gate.NextDeadline(), later);
  EXPECT_TRUE(gate.TakeExpired(later).empty());
  EXPECT_EQ(Next(gate, later), "a");
}

TEST(ResponseGate, KeepsARequestThatAnExpectedUnaskedResponseOvertakes) {
  ResponseGate gate;
  gate.Offer(Request("a"));
  EXPECT_EQ(Next(gate), "a");
  gate.ExpectUnasked(kStart);
  gate.Created("unasked", false);
  gate.Done("unasked");
  gate.Offer(Request("b"));
  EXPECT_EQ(Next(gate), "") << "a is still on its way";
  EXPECT_EQ(gate.Refused("a", kCollision).refusal, ResponseGate::Refusal::kRetried);
  EXPECT_EQ(Next(gate), "a");
}

TEST(ResponseGate, RetriesACollisionAfterTheOtherResponse) {
  ResponseGate gate;
  gate.Offer(Request("a"));
  Next(gate);
  gate.Offer(Request("b"));
  gate.Created("unexpected", false);  // Taken for a's, until the upstream refuses a.
  EXPECT_EQ(gate.Refused("a", kCollision).refusal, ResponseGate::Refusal::kRetried);
  EXPECT_EQ(Next(gate), "");
  gate.Done("unexpected");
  EXPECT_EQ(Next(gate), "a") << "in front of b";
}

TEST(ResponseGate, RetriesAtOnceWhenNothingIsActiveAndGivesUpAfterThreeTries) {
  ResponseGate gate;
  gate.Offer(Request("a"));
  for (int i = 1; i < ResponseGate::kTriesMax; ++i) {
    EXPECT_EQ(Next(gate), "a");
    EXPECT_EQ(gate.Refused("a", kCollision).refusal, ResponseGate::Refusal::kRetried);
  }
  EXPECT_EQ(Next(gate), "a");
  const auto verdict = gate.Refused("a", kCollision);
  EXPECT_EQ(verdict.refusal, ResponseGate::Refusal::kClosed);
  EXPECT_EQ(verdict.client_event_id, "client_a");
  EXPECT_EQ(Next(gate), "");
}

TEST(ResponseGate, TakesACollisionWithoutAnIdForTheRequestedOne) {
  ResponseGate gate;
  EXPECT_EQ(gate.Refused("", kCollision).refusal, ResponseGate::Refusal::kNotARequest);
  gate.Offer(Request("a"));
  Next(gate);
  EXPECT_EQ(gate.Refused("", "server_error").refusal, ResponseGate::Refusal::kNotARequest);
  EXPECT_EQ(gate.Refused("", kCollision).refusal, ResponseGate::Refusal::kRetried);
}

TEST(ResponseGate, ClosesARequestThatFailedAndLetsTheNextGo) {
  for (const bool out_of_band : {false, true}) {
    ResponseGate gate;
    gate.Offer(Request("a", out_of_band));
    Next(gate);
    EXPECT_EQ(gate.Refused("other", "x").refusal, ResponseGate::Refusal::kNotARequest);
    const auto verdict = gate.Refused("a", "rate_limit_exceeded");
    EXPECT_EQ(verdict.refusal, ResponseGate::Refusal::kClosed);
    EXPECT_EQ(verdict.client_event_id, "client_a");
    EXPECT_FALSE(gate.IsBusy());
    gate.Offer(Request("b"));
    EXPECT_EQ(Next(gate), "b");
  }
}

TEST(ResponseGate, ClosesWhatWasNotStartedInTime) {
  ResponseGate gate;
  gate.Offer(Request("a"));
  gate.Offer(Request("aside", true));
  gate.Offer(Request("b"));
  Next(gate);
  Next(gate);
  EXPECT_EQ(gate.NextDeadline(), kStart + ResponseGate::kStartMax);
  EXPECT_TRUE(gate.TakeExpired(kStart + ResponseGate::kStartMax - milliseconds(1)).empty());
  EXPECT_EQ(gate.TakeExpired(kStart + ResponseGate::kStartMax).size(), 2U);
  EXPECT_EQ(Next(gate), "b");
}

TEST(ResponseGate, CancelsOnlyWhatIsOpenAndOnlyOnce) {
  ResponseGate gate;
  EXPECT_FALSE(gate.Cancel(""));
  EXPECT_FALSE(gate.Cancel("r1"));
  gate.Created("r1", false);
  EXPECT_FALSE(gate.Cancel("r2"));
  EXPECT_EQ(gate.Cancel(""), "r1");
  EXPECT_FALSE(gate.Cancel("r1"));
  gate.Done("r1");
  EXPECT_FALSE(gate.Cancel("r1"));
}

TEST(ResponseGate, CancelsAnOutOfBandResponseOnlyByItsId) {
  ResponseGate gate;
  gate.Offer(Request("aside", true));
  Next(gate);
  gate.Created("r1", true);
  EXPECT_FALSE(gate.Cancel(""));
  EXPECT_EQ(gate.Cancel("r1"), "r1");
}

TEST(ResponseGate, RemembersACancelUntilTheResponseIsCreated) {
  ResponseGate gate;
  gate.Offer(Request("a"));
  Next(gate);
  EXPECT_FALSE(gate.Cancel("not yet known"));
  EXPECT_FALSE(gate.Cancel(""));
  EXPECT_TRUE(gate.Created("r1", false));
  EXPECT_EQ(gate.Cancel("r1"), "r1");
}

TEST(ResponseGate, ForgetsACancelledRequestThatCollided) {
  ResponseGate gate;
  gate.Offer(Request("a"));
  Next(gate);
  gate.Cancel("");
  EXPECT_EQ(gate.Refused("a", kCollision).refusal, ResponseGate::Refusal::kDropped);
  EXPECT_EQ(Next(gate), "");
}

TEST(ResponseGate, SilencesOpenResponsesAndForgetsThemWhenDone) {
  ResponseGate gate;
  gate.Created("r1", false);
  EXPECT_FALSE(gate.IsSilenced("r1"));
  gate.Silence("r1");
  gate.Silence("unknown");
  EXPECT_TRUE(gate.IsSilenced("r1"));
  EXPECT_FALSE(gate.IsSilenced("unknown"));
  gate.Done("r1");
  EXPECT_FALSE(gate.IsSilenced("r1"));
}

TEST(ResponseGate, ForgetsTheOldestOfTooManyOpenResponses) {
  ResponseGate gate;
  for (std::size_t i = 0; i <= ResponseGate::kOpenMax; ++i) {
    gate.Created("r" + std::to_string(i), false);
  }
  EXPECT_FALSE(gate.Cancel("r0"));
  EXPECT_TRUE(gate.Cancel("r1"));
}

}  // namespace
}  // namespace voicebridge::worker
