#include "common/http/http_message.h"

#include <algorithm>

#include "common/json/json.h"

namespace voicebridge {
namespace {

char LowerCase(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; }

bool EqualIgnoringCase(std::string_view left, std::string_view right) {
  return std::equal(left.begin(), left.end(), right.begin(), right.end(),
                    [](char a, char b) { return LowerCase(a) == LowerCase(b); });
}

std::string_view Trimmed(std::string_view text) {
  constexpr std::string_view kBlank = " \t";
  const std::size_t first = text.find_first_not_of(kBlank);
  if (first == std::string_view::npos) {
    return {};
  }
  return text.substr(first, text.find_last_not_of(kBlank) - first + 1);
}

void AppendElements(std::string_view list, std::vector<std::string_view>& elements) {
  while (!list.empty()) {
    const std::size_t comma = std::min(list.find(','), list.size());
    const std::string_view element = Trimmed(list.substr(0, comma));
    if (!element.empty()) {
      elements.push_back(element);
    }
    list.remove_prefix(std::min(comma + 1, list.size()));
  }
}

}  // namespace

std::optional<std::string_view> FindHeader(const HttpHeaders& headers, std::string_view name) {
  for (const auto& [key, value] : headers) {
    if (EqualIgnoringCase(key, name)) {
      return value;
    }
  }
  return std::nullopt;
}

std::optional<std::string_view> HttpRequest::Header(std::string_view name) const {
  return FindHeader(headers, name);
}

std::vector<std::string_view> HttpRequest::HeaderList(std::string_view name) const {
  std::vector<std::string_view> elements;
  for (const auto& [key, value] : headers) {
    if (EqualIgnoringCase(key, name)) {
      AppendElements(value, elements);
    }
  }
  return elements;
}

std::optional<std::string_view> HttpRequest::Query(std::string_view name) const {
  const auto found = query.find(std::string(name));
  return found == query.end() ? std::nullopt : std::optional<std::string_view>(found->second);
}

HttpResponse JsonErrorResponse(unsigned status, std::string_view type, std::string_view code,
                               std::string_view message) {
  json::object error;
  error["message"] = json::string(message);
  error["type"] = json::string(type);
  error["param"] = nullptr;
  error["code"] = code.empty() ? json::value(nullptr) : json::value(json::string(code));
  json::object body;
  body["error"] = std::move(error);
  HttpResponse response;
  response.status = status;
  response.content_type = "application/json";
  response.body = json::serialize(body);
  return response;
}

}  // namespace voicebridge
