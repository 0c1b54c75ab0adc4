// The first line of a request: what it is for.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <string_view>

namespace voicebridge {

struct RequestTarget {
  std::string path;
  std::map<std::string, std::string> query;
};

// nullopt: a broken percent escape, or an escape for NUL.
std::optional<std::string> PercentDecode(std::string_view text);

// From `/path?query` or `http://host/path?query`, percent-decoded; in the query '+' is a space.
// nullopt when it is neither.
std::optional<RequestTarget> ParseRequestTarget(std::string_view target);

}  // namespace voicebridge
