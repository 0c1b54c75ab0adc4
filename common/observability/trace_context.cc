#include "common/observability/trace_context.h"

#include <openssl/rand.h>

#include <array>
#include <cstddef>
#include <cstdlib>

namespace voicebridge {
namespace {

// `00-<trace id>-<span id>-<flags>`.
constexpr std::size_t kVersionDigits = 2;
constexpr std::size_t kTraceDigits = 32;
constexpr std::size_t kSpanDigits = 16;
constexpr std::size_t kFlagDigits = 2;
constexpr std::size_t kTraceAt = kVersionDigits + 1;
constexpr std::size_t kSpanAt = kTraceAt + kTraceDigits + 1;
constexpr std::size_t kFlagsAt = kSpanAt + kSpanDigits + 1;
constexpr std::size_t kSize = kFlagsAt + kFlagDigits;
constexpr int kSampledFlag = 1;
constexpr std::string_view kDigits = "0123456789abcdef";

bool IsHex(std::string_view text) {
  return text.find_first_not_of(kDigits) == std::string_view::npos;
}

bool IsId(std::string_view text) {
  return IsHex(text) && text.find_first_not_of('0') != std::string_view::npos;
}

std::string NewHexId(std::size_t digits) {
  std::string id;
  std::array<unsigned char, kTraceDigits / 2> random{};
  do {
    if (RAND_bytes(random.data(), static_cast<int>(digits / 2)) != 1) {
      std::abort();  // As for every other id.
    }
    id.clear();
    for (std::size_t i = 0; i < digits / 2; ++i) {
      id += kDigits[random[i] >> 4U];
      id += kDigits[random[i] & 0xFU];
    }
  } while (!IsId(id));
  return id;
}

}  // namespace

std::optional<TraceContext> ParseTraceparent(std::string_view text) {
  if (text.size() < kSize || text[kTraceAt - 1] != '-' || text[kSpanAt - 1] != '-' ||
      text[kFlagsAt - 1] != '-') {
    return std::nullopt;
  }
  const std::string_view version = text.substr(0, kVersionDigits);
  const std::string_view trace_id = text.substr(kTraceAt, kTraceDigits);
  const std::string_view span_id = text.substr(kSpanAt, kSpanDigits);
  const std::string_view flags = text.substr(kFlagsAt, kFlagDigits);
  if (!IsHex(version) || version == "ff" || !IsId(trace_id) || !IsId(span_id) || !IsHex(flags)) {
    return std::nullopt;
  }
  const bool is_longer = text.size() > kSize;
  if (is_longer && (version == "00" || text[kSize] != '-')) {
    return std::nullopt;
  }
  const std::size_t low_digit = kDigits.find(flags[1]);
  return TraceContext{std::string(trace_id), std::string(span_id),
                      (static_cast<int>(low_digit) & kSampledFlag) != 0};
}

std::string FormatTraceparent(const TraceContext& context) {
  return "00-" + context.trace_id + "-" + context.span_id + (context.sampled ? "-01" : "-00");
}

TraceContext ContinueTrace(std::string_view traceparent) {
  std::optional<TraceContext> before = ParseTraceparent(traceparent);
  if (!before) {
    return TraceContext{NewHexId(kTraceDigits), NewHexId(kSpanDigits), true};
  }
  before->span_id = NewHexId(kSpanDigits);
  return *std::move(before);
}

}  // namespace voicebridge
