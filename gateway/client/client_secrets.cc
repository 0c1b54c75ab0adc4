#include <fmt/format.h>

#include <algorithm>
#include <cctype>
#include <cstddef>
#include <initializer_list>
#include <utility>
#include <variant>

#include "common/core/ids.h"
#include "common/json/json.h"
#include "gateway/client/auth.h"

namespace voicebridge::gateway {
namespace {

constexpr std::int64_t kSecondsMin = 10;
constexpr std::int64_t kSecondsMax = 7200;
constexpr std::int64_t kSecondsDefault = 600;
constexpr std::size_t kSessionBytesMax = 4096;
constexpr std::size_t kProfileLengthMax = 64;
constexpr std::int64_t kMaxSessionsMax = 1'000'000;
constexpr std::int64_t kSessionSecondsMax = std::int64_t{24} * 60 * 60;

// What is wrong with a request, in OpenAI's terms.
struct Problem {
  std::string code;
  std::string param;
  std::string message;
};

struct Request {
  std::int64_t seconds = kSecondsDefault;
  json::object session;  // As given; empty: none.
  std::string profile;
  SecretLimits limits;
};
using Parsed = std::variant<Request, Problem>;

HttpResponse Reply(unsigned status, const json::object& body) {
  HttpResponse response;
  response.status = status;
  response.content_type = "application/json";
  response.body = json::serialize(body);
  response.headers.emplace_back("Cache-Control", "no-store");
  return response;
}

HttpResponse Reply(const Problem& problem) {
  json::object error;
  error["message"] = problem.message;
  error["type"] = "invalid_request_error";
  error["param"] = problem.param.empty() ? json::value(nullptr) : json::value(problem.param);
  error["code"] = problem.code;
  json::object body;
  body["error"] = std::move(error);
  return Reply(400, body);
}

Problem WrongType(std::string_view param, std::string_view expected) {
  return {"invalid_type", std::string(param),
          fmt::format("Invalid type for '{}': expected {}.", param, expected)};
}

Problem WrongValue(std::string_view param, std::string_view expectation) {
  return {"invalid_value", std::string(param),
          fmt::format("Invalid value for '{}': {}.", param, expectation)};
}

const json::value* FindValue(const json::object& object, std::string_view key) {
  const json::value* value = object.if_contains(key);
  return value == nullptr || value->is_null() ? nullptr : value;
}

// The first member that is none of `known`.
std::optional<Problem> CheckMembers(const json::object& object, std::string_view prefix,
                                    std::initializer_list<std::string_view> known) {
  for (const auto& member : object) {
    const std::string_view name(member.key().data(), member.key().size());
    if (std::find(known.begin(), known.end(), name) == known.end()) {
      const std::string path = fmt::format("{}{}", prefix, name.substr(0, kProfileLengthMax));
      return Problem{"unknown_parameter", path, fmt::format("Unknown parameter: '{}'.", path)};
    }
  }
  return std::nullopt;
}

std::optional<Problem> TakeExpiry(const json::object& body, Request& request) {
  const json::value* value = FindValue(body, "expires_after");
  if (value == nullptr) {
    return std::nullopt;
  }
  const json::object* expiry = value->if_object();
  if (expiry == nullptr) {
    return WrongType("expires_after", "object");
  }
  if (auto problem = CheckMembers(*expiry, "expires_after.", {"anchor", "seconds"})) {
    return problem;
  }
  if (FindValue(*expiry, "anchor") != nullptr && StringOr(*expiry, "anchor") != "created_at") {
    return WrongValue("expires_after.anchor", "supported values are: 'created_at'");
  }
  if (FindValue(*expiry, "seconds") == nullptr) {
    return std::nullopt;
  }
  const auto seconds = FindInteger(*expiry, "seconds");
  if (!seconds) {
    return WrongType("expires_after.seconds", "integer");
  }
  if (*seconds < kSecondsMin || *seconds > kSecondsMax) {
    return WrongValue("expires_after.seconds",
                      fmt::format("expected {} to {}", kSecondsMin, kSecondsMax));
  }
  request.seconds = *seconds;
  return std::nullopt;
}

std::optional<Problem> TakeSession(const json::object& body, Request& request) {
  const json::value* value = FindValue(body, "session");
  if (value == nullptr) {
    return std::nullopt;
  }
  const json::object* session = value->if_object();
  if (session == nullptr) {
    return WrongType("session", "object");
  }
  const json::value* type = FindValue(*session, "type");
  if (type == nullptr) {
    return Problem{"missing_required_parameter", "session.type",
                   "Missing required parameter: 'session.type'."};
  }
  if (!type->is_string()) {
    return WrongType("session.type", "string");
  }
  if (View(type->get_string()) != "realtime") {
    return WrongValue("session.type", "supported values are: 'realtime'");
  }
  if (json::serialize(*session).size() > kSessionBytesMax) {
    return WrongValue("session",
                      fmt::format("expected at most {} bytes of JSON", kSessionBytesMax));
  }
  request.session = *session;
  return std::nullopt;
}

std::optional<Problem> TakeProfile(const json::object& body, Request& request) {
  const json::value* value = FindValue(body, "profile");
  if (value == nullptr) {
    return std::nullopt;
  }
  if (!value->is_string()) {
    return WrongType("profile", "string");
  }
  const std::string_view profile = View(value->get_string());
  const bool clean = std::all_of(profile.begin(), profile.end(), [](unsigned char c) {
    return std::isalnum(c) != 0 || c == '-' || c == '_' || c == '.';
  });
  if (profile.empty() || profile.size() > kProfileLengthMax || !clean) {
    return WrongValue("profile", "expected the name of a profile");
  }
  request.profile = profile;
  return std::nullopt;
}

// A member of `limits`; absent: 0.
std::optional<Problem> TakeLimit(const json::object& limits, std::string_view name,
                                 std::int64_t most, std::int64_t& limit) {
  if (FindValue(limits, name) == nullptr) {
    return std::nullopt;
  }
  const std::string path = fmt::format("limits.{}", name);
  const auto value = FindInteger(limits, name);
  if (!value) {
    return WrongType(path, "integer");
  }
  if (*value < 1 || *value > most) {
    return WrongValue(path, fmt::format("expected 1 to {}", most));
  }
  limit = *value;
  return std::nullopt;
}

std::optional<Problem> TakeLimits(const json::object& body, Request& request) {
  const json::value* value = FindValue(body, "limits");
  if (value == nullptr) {
    return std::nullopt;
  }
  const json::object* limits = value->if_object();
  if (limits == nullptr) {
    return WrongType("limits", "object");
  }
  if (auto problem = CheckMembers(*limits, "limits.", {"max_sessions", "session_seconds"})) {
    return problem;
  }
  if (auto problem =
          TakeLimit(*limits, "max_sessions", kMaxSessionsMax, request.limits.max_sessions)) {
    return problem;
  }
  return TakeLimit(*limits, "session_seconds", kSessionSecondsMax, request.limits.session_seconds);
}

Parsed ParseRequest(std::string_view text) {
  Request request;
  if (text.find_first_not_of(" \t\r\n") == std::string_view::npos) {
    return request;
  }
  const auto body = ParseObject(text);
  if (!body.ok()) {
    return Problem{"invalid_json", "", "The body is not a JSON object."};
  }
  if (auto problem = CheckMembers(*body, "", {"expires_after", "session", "profile", "limits"})) {
    return *std::move(problem);
  }
  for (const auto take : {TakeExpiry, TakeSession, TakeProfile, TakeLimits}) {
    if (auto problem = take(*body, request)) {
      return *std::move(problem);
    }
  }
  return request;
}

json::object EffectiveSession(const json::object& given) {
  json::object session = given;
  session["type"] = "realtime";
  session["object"] = "realtime.session";
  session["id"] = NewId("sess");
  return session;
}

}  // namespace

MintedSecret RespondClientSecret(const AuthPolicy& policy, const Caller& caller,
                                 std::string_view body, std::int64_t unix_now) {
  const Parsed parsed = ParseRequest(body);
  if (const auto* problem = std::get_if<Problem>(&parsed)) {
    return {.response = Reply(*problem)};
  }
  const Request& request = std::get<Request>(parsed);
  ClientSecretClaims claims;
  claims.id = NewId("secret");
  claims.issued_to = caller.name;
  claims.profile = request.profile;
  claims.session_json = request.session.empty() ? "" : json::serialize(request.session);
  claims.expires_at = unix_now + request.seconds;
  claims.limits = request.limits;
  const std::string secret = MintClientSecret(policy.signing_keys, claims);
  if (secret.empty()) {
    return {.response = JsonErrorResponse(500, "server_error", "internal_error",
                                          "The client secret could not be signed.")};
  }
  json::object reply;
  reply["value"] = secret;
  reply["expires_at"] = claims.expires_at;
  reply["session"] = EffectiveSession(request.session);
  return {.response = Reply(200, reply), .secret_id = claims.id};
}

}  // namespace voicebridge::gateway
