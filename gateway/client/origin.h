// Which page of a browser may connect (RFC 6454). Programs that are no browser send no Origin.
#pragma once

#include <string_view>

namespace voicebridge::gateway {

// Whether `origin` is the one of whoever is asked under `host` (the header): the gateway's own
// page. With `on_loopback` the host must be this machine's, too: a foreign name that resolves to it
// (DNS rebinding) makes any page one of the "same origin".
bool IsOwnPage(std::string_view origin, std::string_view host, bool on_loopback);

}  // namespace voicebridge::gateway
