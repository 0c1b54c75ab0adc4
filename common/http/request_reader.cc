#include "common/http/request_reader.h"

#include <boost/beast/core/string.hpp>
#include <boost/beast/http/error.hpp>
#include <boost/beast/http/rfc7230.hpp>
#include <iterator>
#include <utility>

#include "common/core/limits.h"
#include "common/http/request_target.h"

namespace voicebridge {
namespace {

namespace http = boost::beast::http;

constexpr std::size_t kRequestReadSize = 4096;

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

// A length that is told in two ways, or in one that we do not know, is where two servers on a path
// begin to disagree about what the next request is (RFC 7230 3.3.3). 0: there is nothing to refuse.
template <class Parser>
unsigned RefusalOfFraming(const Parser& parser) {
  const auto& request = parser.get();
  const auto encodings = request.count(http::field::transfer_encoding);
  if (encodings == 0) {
    return 0;
  }
  if (!parser.chunked() || request.version() != 11) {
    return 400;
  }
  const auto encoding = request[http::field::transfer_encoding];
  return encodings == 1 && boost::beast::iequals(encoding, "chunked") ? 0 : 501;
}

std::size_t CountHeaders(const http::fields& headers) {
  return static_cast<std::size_t>(std::distance(headers.begin(), headers.end()));
}

bool IsHostSound(const RawRequest& raw) {
  const std::size_t hosts = raw.count(http::field::host);
  if (hosts > 1 || (hosts == 0 && raw.version() == 11)) {
    return false;
  }
  return raw[http::field::host].find_first_of(" \t\"#/<>?@\\") == std::string_view::npos;
}

// 16 bytes in base64, whatever the bits are that fill up the last character.
bool IsWebSocketKey(std::string_view key) {
  constexpr std::string_view kDigits =
      "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  constexpr std::size_t kDigitsOfSixteenBytes = 22;
  return key.find_first_not_of(kDigits) == kDigitsOfSixteenBytes &&
         key.substr(kDigitsOfSixteenBytes) == "==";
}

}  // namespace

RequestReader::RequestReader(UpgradableConnection& connection, std::size_t body_bytes_max)
    : connection_(connection),
      body_bytes_max_(body_bytes_max),
      buffer_(limits::kHttpHeaderMax + kRequestReadSize) {}

Awaitable<RequestReader::Result> RequestReader::Read() {
  Parser parser;
  parser.header_limit(limits::kHttpHeaderMax);
  parser.body_limit(body_bytes_max_);
  Result result = co_await Feed(parser, &Parser::is_header_done);
  if (result != Result::kRequest) {
    co_return result;
  }
  if (const unsigned status = RefusalOfFraming(parser); status != 0) {
    co_return Refuse(status);
  }
  const std::size_t headers = CountHeaders(parser.get());
  const bool invited = co_await InviteBody(parser);
  if (!invited) {
    co_return Result::kEnded;
  }
  parser.eager(true);
  result = co_await Feed(parser, &Parser::is_done);
  raw_ = parser.release();
  // Beast takes trailers for headers, also those that RFC 7230 4.1.2 keeps out of trailers.
  const bool has_trailers = CountHeaders(raw_) != headers;
  co_return result == Result::kRequest&& has_trailers ? Refuse(400) : result;
}

// Until the parser has what it needs for this part; more of it stays in the buffer.
Awaitable<RequestReader::Result> RequestReader::Feed(Parser& parser, IsComplete is_complete) {
  const bool is_header = !parser.is_header_done();
  // Beast's own limit forgets the lines that it has taken, whenever a read ends right behind one.
  std::size_t taken = 0;
  bool needs_more = buffer_.size() == 0;
  while (!(parser.*is_complete)()) {
    if (needs_more) {
      if (taken + buffer_.size() >= limits::kHttpHeaderMax) {
        co_return Refuse(is_header ? 431 : 400);
      }
      const std::size_t bytes = co_await connection_.ReadSome(buffer_.prepare(kRequestReadSize));
      if (bytes == 0) {
        co_return Result::kEnded;
      }
      buffer_.commit(bytes);
    }
    boost::system::error_code error;
    const std::size_t bytes = parser.put(buffer_.data(), error);
    buffer_.consume(bytes);
    if (error && error != http::error::need_more) {
      co_return Refuse(RefusalOf(error));
    }
    taken += is_header ? bytes : 0;
    needs_more = error == http::error::need_more || buffer_.size() == 0;
  }
  co_return Result::kRequest;
}

// A client that expects "100-continue" sends its body only then (RFC 7231 5.1.1). False: it is
// gone.
Awaitable<bool> RequestReader::InviteBody(const Parser& parser) {
  const bool is_awaited = parser.get().version() == 11 && !parser.is_done() && buffer_.size() == 0;
  if (!is_awaited || !boost::beast::iequals(parser.get()[http::field::expect], "100-continue")) {
    co_return true;
  }
  constexpr std::string_view kContinue = "HTTP/1.1 100 Continue\r\n\r\n";
  const bool written = co_await connection_.WriteAll(kContinue, std::string_view());
  co_return written;
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
  if (!target || !IsHostSound(raw)) {
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
  HttpResponse refusal;
  refusal.status = 400;
  if (raw.method() != http::verb::get || raw.version() != 11) {
    refusal.body = "a WebSocket upgrade must be a GET request of HTTP/1.1\n";
    return refusal;
  }
  if (raw.count(http::field::sec_websocket_version) > 1) {
    refusal.body = "there must be one Sec-WebSocket-Version\n";
    return refusal;
  }
  if (raw[http::field::sec_websocket_version] != "13") {
    refusal.status = 426;
    refusal.headers.emplace_back("Sec-WebSocket-Version", "13");
    refusal.headers.emplace_back("Upgrade", "websocket");
    refusal.body = "Sec-WebSocket-Version must be 13\n";
    return refusal;
  }
  if (raw.count(http::field::sec_websocket_key) != 1 ||
      !IsWebSocketKey(raw[http::field::sec_websocket_key])) {
    refusal.body = "there must be one Sec-WebSocket-Key, of 16 bytes in base64\n";
    return refusal;
  }
  return std::nullopt;
}

void JoinUpgradeHeaders(RawRequest& raw) {
  raw.set(http::field::connection, "upgrade");
  raw.set(http::field::upgrade, "websocket");
}

}  // namespace voicebridge
