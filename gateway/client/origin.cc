#include "gateway/client/origin.h"

#include <fmt/format.h>

#include "common/websocket/url.h"

namespace voicebridge::gateway {

bool IsOwnPage(std::string_view origin, std::string_view host, bool on_loopback) {
  const auto page = ParseUrl(origin);
  if (!page.ok()) {
    return false;  // `null`, or of something that is no web page.
  }
  const auto asked = ParseUrl(fmt::format("{}://{}", page->scheme, host));
  return asked.ok() && page->host == asked->host && page->port == asked->port &&
         (!on_loopback || asked->IsLoopback());
}

}  // namespace voicebridge::gateway
