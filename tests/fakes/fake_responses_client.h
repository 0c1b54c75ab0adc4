// A text model for tests.
#pragma once

#include <algorithm>
#include <functional>
#include <string>
#include <utility>
#include <vector>

#include "bridge_worker/interview/responses_client.h"
#include "common/async/clock.h"

namespace voicebridge::worker::test {

inline ResponsesAnswer AnswerOf(ResponsesAnswer::Outcome outcome, std::string text = "") {
  ResponsesAnswer answer;
  answer.outcome = outcome;
  answer.text = std::move(text);
  return answer;
}

class FakeResponsesClient final : public ResponsesClient {
 public:
  explicit FakeResponsesClient(Clock& clock) : clock_(clock) {}

  Duration takes = seconds(1);
  std::function<ResponsesAnswer(int call)> answer;  // To the first call, 1, and so on.
  int calls = 0;
  int in_flight = 0;
  int in_flight_max = 0;
  int cancelled = 0;
  std::vector<std::string> traces;  // Of the calls.

  Awaitable<ResponsesAnswer> Create(std::string, std::string traceparent,
                                    Deadline deadline) override {
    traces.push_back(std::move(traceparent));
    const int call = ++calls;
    in_flight_max = std::max(in_flight_max, ++in_flight);
    const Deadline done = Deadline::After(clock_.Now(), takes);
    const bool slept = co_await clock_.SleepUntil(done.EarlierOf(deadline));
    --in_flight;
    ResponsesAnswer result;
    if (!slept) {
      ++cancelled;
    } else if (done > deadline) {
      result.detail = "timeout";
    } else {
      result = answer(call);
    }
    co_return result;
  }

 private:
  Clock& clock_;
};

}  // namespace voicebridge::worker::test
