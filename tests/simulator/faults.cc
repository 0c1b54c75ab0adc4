#include "tests/simulator/faults.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <utility>

#include "common/core/status.h"

namespace voicebridge::simulator {
namespace {

enum class Argument { kNone, kOptional, kRequired };

struct Kind {
  std::string_view name;
  Argument argument;
};

constexpr std::array<Kind, 10> kKinds = {{{"refuse", Argument::kRequired},
                                          {"bad_key", Argument::kNone},
                                          {"accept_delay", Argument::kRequired},
                                          {"configure_delay", Argument::kRequired},
                                          {"mute", Argument::kOptional},
                                          {"no_close", Argument::kOptional},
                                          {"drop", Argument::kNone},
                                          {"drop_after", Argument::kRequired},
                                          {"flood", Argument::kOptional},
                                          {"expire", Argument::kRequired}}};

std::string KnownFaults() {
  std::string names;
  for (const Kind& kind : kKinds) {
    names += names.empty() ? "" : ", ";
    names += kind.name;
    names += kind.argument == Argument::kRequired   ? ":N"
             : kind.argument == Argument::kOptional ? "[:N]"
                                                    : "";
  }
  return names;
}

absl::StatusOr<std::uint64_t> ParseNumber(std::string_view text) {
  std::uint64_t number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc() || end != text.data() + text.size() || number > 1'000'000'000) {
    return InvalidArgument("fault argument '{}': expected a number", text);
  }
  return number;
}

absl::Status CheckFault(const Fault& fault) {
  const auto kind = std::find_if(kKinds.begin(), kKinds.end(),
                                 [&](const Kind& one) { return one.name == fault.name; });
  if (kind == kKinds.end()) {
    return InvalidArgument("fault '{}' is unknown; known are {}", fault.name, KnownFaults());
  }
  if (kind->argument == Argument::kRequired && !fault.argument) {
    return InvalidArgument("fault '{}' needs an argument: {}:N", fault.name, fault.name);
  }
  if (kind->argument == Argument::kNone && fault.argument) {
    return InvalidArgument("fault '{}' takes no argument", fault.name);
  }
  if (fault.name == "refuse" && (*fault.argument < 300 || *fault.argument > 599)) {
    return InvalidArgument("fault 'refuse': expected an HTTP status from 300 to 599");
  }
  return absl::OkStatus();
}

}  // namespace

absl::StatusOr<Fault> ParseFault(std::string_view text) {
  Fault fault;
  const std::size_t colon = text.find(':');
  fault.name = std::string(text.substr(0, colon));
  if (colon != std::string_view::npos) {
    const auto number = ParseNumber(text.substr(colon + 1));
    if (!number.ok()) {
      return number.status();
    }
    fault.argument = *number;
  }
  absl::Status status = CheckFault(fault);
  return status.ok() ? absl::StatusOr<Fault>(std::move(fault)) : status;
}

absl::StatusOr<Fault> ParseFault(const json::object& request) {
  std::string text(StringOr(request, "fault"));
  const json::value* argument = request.if_contains("arg");
  if (argument != nullptr && !argument->is_null()) {
    text += ":";
    text += argument->is_string() ? std::string(View(argument->get_string()))
                                  : json::serialize(*argument);
  }
  absl::StatusOr<Fault> fault = ParseFault(std::string_view(text));
  if (!fault.ok()) {
    return fault;
  }
  fault->session = std::string(StringOr(request, "session"));
  if (const auto count = FindInteger(request, "count")) {
    if (*count < 1) {
      return InvalidArgument("count: expected at least 1");
    }
    fault->count = static_cast<std::uint64_t>(*count);
  }
  return fault;
}

bool AppliesToOpenSession(const Fault& fault) {
  static constexpr std::array<std::string_view, 6> kNames = {
      "drop", "drop_after", "mute", "no_close", "flood", "configure_delay"};
  return std::find(kNames.begin(), kNames.end(), fault.name) != kNames.end();
}

void Apply(const Fault& fault, SessionFaults& faults) {
  const std::uint64_t argument = fault.argument.value_or(0);
  if (fault.name == "refuse") {
    faults.refuse_status = static_cast<unsigned>(argument);
  } else if (fault.name == "bad_key") {
    faults.bad_key = true;
  } else if (fault.name == "accept_delay") {
    faults.accept_delay = milliseconds(argument);
  } else if (fault.name == "configure_delay") {
    faults.configure_delay = milliseconds(argument);
  } else if (fault.name == "mute") {
    faults.mute = true;
    faults.mute_after = fault.argument;
  } else if (fault.name == "no_close") {
    faults.no_close = true;
    faults.no_close_after = fault.argument;
  } else if (fault.name == "drop") {
    faults.drop = true;
  } else if (fault.name == "drop_after") {
    faults.drop_after = argument;
  } else if (fault.name == "flood") {
    faults.flood = true;
    faults.flood_mib = fault.argument;
  } else if (fault.name == "expire") {
    faults.session_length = seconds(argument);
  }
}

std::optional<unsigned> Faults::TakeRefusal() { return Take(true).refuse_status; }

SessionFaults Faults::TakeForSession() { return Take(false); }

SessionFaults Faults::Take(bool at_upgrade) {
  SessionFaults taken;
  for (Fault& fault : faults_) {
    if ((fault.name == "refuse") != at_upgrade) {
      continue;
    }
    Apply(fault, taken);
    if (fault.count) {
      --*fault.count;
    }
  }
  std::erase_if(faults_, [](const Fault& fault) { return fault.count == 0; });
  return taken;
}

json::array Faults::ToJson() const {
  json::array array;
  for (const Fault& fault : faults_) {
    json::object object = {{"fault", fault.name}};
    if (fault.argument) {
      object["arg"] = *fault.argument;
    }
    if (fault.count) {
      object["count"] = *fault.count;
    }
    array.push_back(std::move(object));
  }
  return array;
}

}  // namespace voicebridge::simulator
