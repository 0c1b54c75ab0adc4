// HTTP requests and responses as values.
#pragma once

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "common/async/awaitable.h"

namespace voicebridge {

using HttpHeaders = std::vector<std::pair<std::string, std::string>>;

// The first header of that name, without regard to case.
std::optional<std::string_view> FindHeader(const HttpHeaders& headers, std::string_view name);

struct HttpRequest {
  std::string method;                        // "GET", "POST", ...
  std::string path;                          // Percent-decoded, without the query.
  std::map<std::string, std::string> query;  // Percent-decoded; the last of equal names wins.
  HttpHeaders headers;
  std::string body;
  std::string remote_address;  // IP address without the port.

  // The first header of that name, without regard to case.
  std::optional<std::string_view> Header(std::string_view name) const;
  // All elements of a comma-separated list header, trimmed.
  std::vector<std::string_view> HeaderList(std::string_view name) const;
  std::optional<std::string_view> Query(std::string_view name) const;
};

// A body that is still being made while it is sent. Owned by the response.
class HttpBodySource {
 public:
  virtual ~HttpBodySource() = default;

  // The next piece, within a bound of its own; empty: the body is complete.
  virtual Awaitable<std::string> Next() = 0;
};

struct HttpResponse {
  unsigned status = 200;
  std::string content_type = "text/plain; charset=utf-8";
  std::string body;
  HttpHeaders headers = {};
  // Goes on after `body`, in chunks; null: `body` is all of it.
  std::shared_ptr<HttpBodySource> more = nullptr;
};

// `{"error":{"message":…,"type":…,"param":null,"code":…}}`: OpenAI's error shape over HTTP.
HttpResponse JsonErrorResponse(unsigned status, std::string_view type, std::string_view code,
                               std::string_view message);

}  // namespace voicebridge
