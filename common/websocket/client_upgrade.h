// The HTTP part of opening a WebSocket, without a connection: what is asked, and what the answer
// means.
#pragma once

#include <boost/beast/core/error.hpp>
#include <boost/beast/websocket/rfc6455.hpp>
#include <string>
#include <string_view>

#include "common/websocket/connect.h"

namespace voicebridge {

// With the port unless it is the scheme's default.
std::string HostHeader(const Url& url);

// No line break or other control character.
bool IsHeaderValue(std::string_view value);

// INVALID_ARGUMENT names the header that cannot be sent.
absl::Status CheckHeader(std::string_view name, std::string_view value);

// INVALID_ARGUMENT names what cannot be put into a header.
absl::Status CheckHeaders(const ConnectOptions& options);

// Adds our headers to the request that Beast has prepared.
void DecorateUpgrade(const ConnectOptions& options, boost::beast::websocket::request_type& request);

// The status is OK when the WebSocket is open.
ConnectFailure JudgeUpgrade(const ConnectOptions& options, const boost::beast::error_code& error,
                            const boost::beast::websocket::response_type& response);

}  // namespace voicebridge
