// POST /v1/responses.
#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "common/async/clock.h"
#include "common/http/http_message.h"
#include "tests/simulator/faults.h"
#include "tests/simulator/id_source.h"
#include "tests/simulator/journal.h"
#include "tests/simulator/responses_request.h"

namespace voicebridge::simulator {

// Owned by the service; calls may overlap. The clock, the faults and the journal outlive it.
class ResponsesEndpoint {
 public:
  // `latency`: from a request to its answer, or to the first event of it.
  ResponsesEndpoint(Clock& clock, Faults& faults, Journal& journal, Duration latency,
                    std::uint64_t id_seed)
      : clock_(clock), faults_(faults), journal_(journal), latency_(latency), ids_(id_seed) {}

  // `key`: the bearer; empty: there was none.
  Awaitable<HttpResponse> Respond(const HttpRequest& request, std::string_view key);

 private:
  HttpResponse Answer(const HttpRequest& request, std::string_view key, ActiveFaults& faults,
                      CallRecord& record);
  HttpResponse Reply(const ResponsesRequest& request, ActiveFaults& faults, CallRecord& record);

  Clock& clock_;
  Faults& faults_;
  Journal& journal_;
  const Duration latency_;
  IdSource ids_;
};

}  // namespace voicebridge::simulator
