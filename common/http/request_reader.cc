#include "common/http/request_reader.h"

#include <boost/beast/http/error.hpp>
#include <boost/beast/http/parser.hpp>
#include <boost/beast/http/rfc7230.hpp>
#include <utility>

#include "common/core/limits.h"
#include "common/http/request_target.h"

namespace voicebridge {
namespace {

namespace http = boost::beast::http;

constexpr std::size_t kReadSize = 4096;

unsigned RefusalOf(const boost::system::error_code& error) {
  if (error == http::error::body_limit) {
    return 413;
  }
  return error == http::error::header_limit ? 431 : 400;
}

bool HasToken(const RawRequest& raw, http::field field, std::string_view token) {
  const auto [first, last] = raw.equal_range(field);
  for (auto header = first; header != last; ++header) {
    if (http::token_list(header->value()).exists(token)) {
      return true;
    }
  }
  return false;
}

}  // namespace

RequestReader::RequestReader(UpgradableConnection& connection, std::size_t body_bytes_max)
    : connection_(connection),
      body_bytes_max_(body_bytes_max),
      buffer_(limits::kHttpHeaderMax + kReadSize) {}

Awaitable<RequestReader::Result> RequestReader::Read() {
  http::request_parser<http::string_body> parser;
  parser.eager(true);
  parser.header_limit(limits::kHttpHeaderMax);
  parser.body_limit(body_bytes_max_);
  bool needs_more = buffer_.size() == 0;
  while (!parser.is_done()) {
    if (needs_more) {
      if (buffer_.size() >= limits::kHttpHeaderMax) {
        co_return Refuse(431);
      }
      const std::size_t bytes = co_await connection_.ReadSome(buffer_.prepare(kReadSize));
      if (bytes == 0) {
        co_return Result::kEnded;
      }
      buffer_.commit(bytes);
    }
    boost::system::error_code error;
    buffer_.consume(parser.put(buffer_.data(), error));
    if (error && error != http::error::need_more) {
      co_return Refuse(RefusalOf(error));
    }
    needs_more = error == http::error::need_more || buffer_.size() == 0;
  }
  raw_ = parser.release();
  co_return Result::kRequest;
}

RequestReader::Result RequestReader::Refuse(unsigned status) {
  refused_status_ = status;
  return Result::kRefused;
}

std::string_view RequestReader::Early() const {
  return {static_cast<const char*>(buffer_.data().data()), buffer_.size()};
}

std::optional<HttpRequest> ToHttpRequest(RawRequest& raw, const std::string& remote_address) {
  std::optional<RequestTarget> target = ParseRequestTarget(raw.target());
  if (!target || (raw.version() == 11 && raw.count(http::field::host) == 0)) {
    return std::nullopt;
  }
  HttpRequest request;
  request.method = std::string(raw.method_string());
  request.path = std::move(target->path);
  request.query = std::move(target->query);
  for (const auto& header : raw) {
    request.headers.emplace_back(header.name_string(), header.value());
  }
  request.body = std::move(raw.body());
  request.remote_address = remote_address;
  return request;
}

bool WantsUpgrade(const RawRequest& raw) {
  return HasToken(raw, http::field::connection, "upgrade") &&
         HasToken(raw, http::field::upgrade, "websocket");
}

std::optional<HttpResponse> RefuseUpgrade(const RawRequest& raw) {
  constexpr std::size_t kKeySize = 24;  // 16 bytes in base64.
  HttpResponse refusal;
  refusal.status = 400;
  if (raw.method() != http::verb::get || raw.version() != 11) {
    refusal.body = "a WebSocket upgrade must be a GET request of HTTP/1.1\n";
    return refusal;
  }
  if (raw[http::field::sec_websocket_version] != "13") {
    refusal.status = 426;
    refusal.headers.emplace_back("Sec-WebSocket-Version", "13");
    refusal.headers.emplace_back("Upgrade", "websocket");
    refusal.body = "Sec-WebSocket-Version must be 13\n";
    return refusal;
  }
  if (raw[http::field::sec_websocket_key].size() != kKeySize) {
    refusal.body = "Sec-WebSocket-Key must be 16 bytes in base64\n";
    return refusal;
  }
  return std::nullopt;
}

}  // namespace voicebridge
