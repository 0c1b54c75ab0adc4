// An asynchronous HTTP/1.1 client: one connection per request, plain or TLS.
#pragma once

#include <absl/status/statusor.h>

#include <cstddef>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "common/async/awaitable.h"
#include "common/core/deadline.h"
#include "common/core/limits.h"
#include "common/core/secret.h"
#include "common/http/http_message.h"
#include "common/websocket/url.h"

namespace voicebridge {

struct HttpClientRequest {
  std::string method = "GET";
  Url url;  // http:// or https://
  HttpHeaders headers;
  Secret bearer;  // Authorization; empty: none.
  std::string body;
  std::string ca_file;  // Trusted instead of the system's authorities; empty: the system's.
  std::size_t body_bytes_max = limits::kHttpBodyMax;  // Of the response.
};

struct HttpReplyHead {
  unsigned status = 0;
  HttpHeaders headers;

  std::optional<std::string_view> Header(std::string_view name) const {
    return FindHeader(headers, name);
  }
};

// A reply whose body is still to be read. Owned by the coroutine that reads it; destruction cuts
// the connection, no read may be pending then.
class HttpReplyReader {
 public:
  virtual ~HttpReplyReader() = default;

  virtual const HttpReplyHead& head() const = 0;

  // The next piece of the body, as it comes; empty: the body is complete. The deadline is that of
  // the request. DEADLINE_EXCEEDED, UNAVAILABLE when the connection broke before the end,
  // RESOURCE_EXHAUSTED when the body is longer than asked for.
  virtual Awaitable<absl::StatusOr<std::string>> Next() = 0;
};

struct OpenedReply {
  std::unique_ptr<HttpReplyReader> reply;  // Null on failure.
  absl::Status status;
  bool request_sent = false;  // Of it something may have reached the peer.
};

struct HttpReply {
  absl::Status status;  // Of the exchange, not of HTTP; see HttpReplyReader::Next.
  bool request_sent = false;
  HttpReplyHead head;
  std::string body;
};

// Sends the request and reads the head of the reply. Redirects are not followed, interim replies
// (1xx) are skipped. Runs on the caller's executor; cancelling the coroutine cuts the connection.
Awaitable<OpenedReply> OpenHttp(HttpClientRequest request, Deadline deadline);

// The same with the whole body.
Awaitable<HttpReply> FetchHttp(HttpClientRequest request, Deadline deadline);

}  // namespace voicebridge
