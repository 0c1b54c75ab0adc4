#include "bridge_worker/tools/http_webhook.h"

#include <algorithm>
#include <fstream>
#include <iterator>
#include <map>
#include <optional>
#include <utility>
#include <vector>

#include "bridge_worker/tools/webhook_policy.h"
#include "bridge_worker/tools/webhook_signature.h"
#include "common/core/status.h"
#include "common/core/wall_clock.h"
#include "common/http/http_client.h"
#include "common/json/json.h"
#include "common/observability/trace_context.h"

namespace voicebridge::worker {
namespace {

constexpr std::size_t kOutputBytesMax = 64U << 10U;
constexpr std::uint32_t kTimeoutMs = 5000;
constexpr std::uint32_t kTimeoutMsMax = 30000;
constexpr std::uint32_t kAttemptsMax = 5;

using Secrets = std::map<std::string, Secret, std::less<>>;  // By file.

absl::StatusOr<Url> ToolUrl(const v1::WebhookTool& tool) {
  absl::StatusOr<Url> url = ParseUrl(tool.url());
  if (!url.ok()) {
    return url;
  }
  if (url->scheme != "https" && !(url->scheme == "http" && url->IsLoopback())) {
    return InvalidArgument("expected https://, or http:// on loopback");
  }
  return url;
}

absl::StatusOr<Secret> ReadSecret(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  const std::string text{std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
  if (!file) {
    return InvalidArgument("'{}' cannot be read", path);
  }
  absl::StatusOr<Secret> secret = ParseWebhookSecret(text);
  return secret.ok() ? secret : InvalidArgument("'{}': {}", path, Message(secret.status()));
}

// nullopt: the arguments are no JSON object.
std::optional<std::string> RequestBody(const ToolCall& call) {
  absl::StatusOr<json::object> arguments = ParseObject(call.arguments_json);
  if (!arguments.ok()) {
    return std::nullopt;
  }
  json::object body;
  body["call_id"] = call.call_id;
  body["name"] = call.name;
  body["arguments"] = *std::move(arguments);
  body["session_id"] = call.session_id;
  return json::serialize(body);
}

// A string of structured fields (RFC 8941, section 3.3.3).
std::string Quoted(std::string_view text) {
  std::string quoted = "\"";
  for (const char c : text) {
    quoted += c == '"' || c == '\\' ? "\\" : "";
    quoted += c;
  }
  return quoted + "\"";
}

ToolResult NotCalled(std::string output, std::string detail) {
  ToolResult result;
  result.output = std::move(output);
  result.detail = std::move(detail);
  return result;
}

class HttpWebhookCaller final : public WebhookCaller {
 public:
  HttpWebhookCaller(Secrets secrets, std::string ca_file, Clock& clock)
      : secrets_(std::move(secrets)), ca_file_(std::move(ca_file)), clock_(clock) {}

  Awaitable<ToolResult> Call(v1::WebhookTool tool, ToolCall call, Deadline deadline) override;

 private:
  // What all attempts of a call have in common.
  struct Plan {
    HttpClientRequest request;  // Without what depends on the time of sending.
    std::string id;
    const Secret* key = nullptr;  // Null: not signed.
    Duration timeout{};
    unsigned attempts = 1;
  };

  static absl::StatusOr<Plan> MakePlan(const v1::WebhookTool& tool, const ToolCall& call);
  HttpClientRequest Stamped(const Plan& plan) const;
  Awaitable<ToolResult> Attempt(Plan plan, Deadline deadline);

  const Secrets secrets_;
  const std::string ca_file_;
  Clock& clock_;
};

absl::StatusOr<HttpWebhookCaller::Plan> HttpWebhookCaller::MakePlan(const v1::WebhookTool& tool,
                                                                    const ToolCall& call) {
  absl::StatusOr<Url> url = ToolUrl(tool);
  if (!url.ok()) {
    return url.status();
  }
  std::optional<std::string> body = RequestBody(call);
  if (!body) {
    return InvalidArgument("the arguments are not a JSON object");
  }
  Plan plan;
  plan.id = call.session_id + "/" + call.call_id;
  plan.request.method = "POST";
  plan.request.url = *std::move(url);
  plan.request.headers = {{"User-Agent", "voicebridge-worker/" VOICEBRIDGE_VERSION},
                          {"Content-Type", "application/json"},
                          {"Accept", "application/json, text/plain"},
                          {"Idempotency-Key", Quoted(plan.id)},
                          {"webhook-id", plan.id}};
  if (!call.traceparent.empty()) {
    plan.request.headers.emplace_back("traceparent",
                                      FormatTraceparent(ContinueTrace(call.traceparent)));
  }
  plan.request.body = *std::move(body);
  plan.request.body_bytes_max = kOutputBytesMax;
  const std::uint32_t timeout_ms = tool.timeout_ms() == 0 ? kTimeoutMs : tool.timeout_ms();
  plan.timeout = milliseconds(std::min(timeout_ms, kTimeoutMsMax));
  if (tool.idempotent()) {
    plan.attempts = std::clamp(tool.attempts(), 1U, kAttemptsMax);
  }
  return plan;
}

HttpClientRequest HttpWebhookCaller::Stamped(const Plan& plan) const {
  HttpClientRequest request = plan.request;
  const std::int64_t now = UnixNow();
  request.ca_file = ca_file_;
  request.headers.emplace_back("webhook-timestamp", std::to_string(now));
  if (plan.key != nullptr) {
    request.headers.emplace_back("webhook-signature",
                                 WebhookSignature(*plan.key, plan.id, now, request.body));
  }
  return request;
}

Awaitable<ToolResult> HttpWebhookCaller::Call(v1::WebhookTool tool, ToolCall call,
                                              Deadline deadline) {
  absl::StatusOr<Plan> plan = MakePlan(tool, call);
  if (!plan.ok()) {
    const std::string why = Message(plan.status());
    co_return NotCalled(fmt::format("The tool was not called: {}.", why), "not_called");
  }
  if (!tool.secret_file().empty()) {
    const auto key = secrets_.find(tool.secret_file());
    if (key == secrets_.end()) {
      co_return NotCalled("The tool was not called: it has no key.", "no_key");
    }
    plan->key = &key->second;
  }
  co_return co_await Attempt(*std::move(plan), deadline);
}

Awaitable<ToolResult> HttpWebhookCaller::Attempt(Plan plan, Deadline deadline) {
  bool may_have_happened = false;
  for (unsigned attempt = 1;; ++attempt) {
    HttpClientRequest request = Stamped(plan);
    const Deadline limit = Deadline::After(clock_.Now(), plan.timeout).EarlierOf(deadline);
    HttpReply reply = co_await FetchHttp(std::move(request), limit);
    const Duration wait = WebhookBackOff(reply.head, attempt + 1);
    WebhookVerdict verdict = JudgeWebhookReply(std::move(reply));
    may_have_happened |= verdict.result.outcome == ToolResult::Outcome::kUnknown;
    const bool goes_on =
        verdict.may_pass && attempt < plan.attempts && wait < deadline.Remaining(clock_.Now());
    bool waited = false;
    if (goes_on) {
      waited = co_await clock_.SleepUntil(Deadline::After(clock_.Now(), wait));
    }
    if (waited) {
      continue;
    }
    // An attempt that did nothing says nothing of those before it.
    if (may_have_happened && verdict.may_pass &&
        verdict.result.outcome == ToolResult::Outcome::kFailed) {
      verdict.result.outcome = ToolResult::Outcome::kUnknown;
      verdict.result.output = "The tool did not answer. Whether it did its work is not known.";
    }
    verdict.result.detail += fmt::format(" attempt_{}", attempt);
    co_return std::move(verdict.result);
  }
}

absl::StatusOr<Secrets> ReadSecrets(const Profiles& profiles) {
  Secrets secrets;
  std::vector<std::string> problems;
  for (const auto& [name, profile] : profiles) {
    for (const v1::Tool& tool : profile.tools()) {
      const std::string place = fmt::format("{}.json: tools: {}: webhook", name, tool.name());
      if (!tool.has_webhook()) {
        continue;
      }
      if (const absl::StatusOr<Url> url = ToolUrl(tool.webhook()); !url.ok()) {
        problems.push_back(fmt::format("{}.url: {}", place, Message(url.status())));
      }
      const std::string& file = tool.webhook().secret_file();
      if (file.empty()) {
        continue;
      }
      absl::StatusOr<Secret> secret = ReadSecret(file);
      if (secret.ok()) {
        secrets.emplace(file, *std::move(secret));
      } else {
        problems.push_back(fmt::format("{}.secret_file: {}", place, Message(secret.status())));
      }
    }
  }
  if (!problems.empty()) {
    return InvalidArgument("{}", fmt::join(problems, "\n"));
  }
  return secrets;
}

}  // namespace

absl::Status CheckWebhooks(const Profiles& profiles) { return ReadSecrets(profiles).status(); }

absl::StatusOr<std::unique_ptr<WebhookCaller>> MakeHttpWebhookCaller(const Profiles& profiles,
                                                                     std::string ca_file,
                                                                     Clock& clock) {
  absl::StatusOr<Secrets> secrets = ReadSecrets(profiles);
  if (!secrets.ok()) {
    return secrets.status();
  }
  return std::make_unique<HttpWebhookCaller>(*std::move(secrets), std::move(ca_file), clock);
}

}  // namespace voicebridge::worker
