#include "common/websocket/client_upgrade.h"

#include <algorithm>
#include <boost/beast/http/field.hpp>
#include <boost/beast/websocket/error.hpp>

#include "common/core/status.h"

namespace voicebridge {
namespace {

namespace http = boost::beast::http;
namespace websocket = boost::beast::websocket;

absl::Status CheckSubprotocol(const std::string& offered,
                              const websocket::response_type& response) {
  const auto answered = response.find(http::field::sec_websocket_protocol);
  if (answered == response.end() || answered->value() == offered) {
    return absl::OkStatus();
  }
  return Unavailable("the peer chose the subprotocol '{}', which was not offered",
                     std::string_view(answered->value()));
}

}  // namespace

std::string HostHeader(const Url& url) {
  const bool is_ipv6 = url.host.find(':') != std::string::npos;
  const std::string host = is_ipv6 ? "[" + url.host + "]" : url.host;
  const bool is_default_port = url.port == (url.IsSecure() ? "443" : "80");
  return is_default_port ? host : host + ":" + url.port;
}

bool IsHeaderValue(std::string_view value) {
  return std::all_of(value.begin(), value.end(), [](char c) {
    return c == '\t' || (static_cast<unsigned char>(c) >= 0x20 && c != 0x7f);
  });
}

absl::Status CheckHeader(std::string_view name, std::string_view value) {
  if (name.empty() || !IsHeaderValue(name) || !IsHeaderValue(value) ||
      name.find_first_of(" \t:") != std::string_view::npos) {
    return InvalidArgument("header '{}': its name or value cannot be sent", name);
  }
  return absl::OkStatus();
}

absl::Status CheckHeaders(const ConnectOptions& options) {
  if (!IsHeaderValue(options.bearer.Reveal())) {
    return InvalidArgument("bearer token: contains a line break or another control character");
  }
  if (!IsHeaderValue(options.user_agent) || !IsHeaderValue(options.subprotocol)) {
    return InvalidArgument("user agent and subprotocol: must not contain control characters");
  }
  for (const auto& [name, value] : options.headers) {
    if (absl::Status status = CheckHeader(name, value); !status.ok()) {
      return status;
    }
  }
  return absl::OkStatus();
}

void DecorateUpgrade(const ConnectOptions& options, websocket::request_type& request) {
  request.set(http::field::user_agent, options.user_agent);
  if (!options.bearer.empty()) {
    request.set(http::field::authorization, "Bearer " + options.bearer.Reveal());
  }
  if (!options.subprotocol.empty()) {
    request.set(http::field::sec_websocket_protocol, options.subprotocol);
  }
  for (const auto& [name, value] : options.headers) {
    request.set(name, value);
  }
}

ConnectFailure JudgeUpgrade(const ConnectOptions& options, const boost::beast::error_code& error,
                            const websocket::response_type& response) {
  ConnectFailure failure;
  if (error == websocket::error::upgrade_declined) {
    failure.http_status = response.result_int();
    failure.status =
        Unavailable("the peer answered the WebSocket upgrade with HTTP {}", failure.http_status);
  } else if (error) {
    failure.status = Unavailable("WebSocket upgrade failed: {}", error.message());
  } else {
    failure.status = CheckSubprotocol(options.subprotocol, response);
  }
  return failure;
}

}  // namespace voicebridge
