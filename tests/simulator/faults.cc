#include "tests/simulator/faults.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <utility>

#include "common/core/status.h"

namespace voicebridge::simulator {
namespace {

absl::Status ReadNumber(const FaultKind& kind, std::string_view text, Fault& fault) {
  std::uint64_t number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc() || end != text.data() + text.size() || number < kind.min ||
      number > kind.max) {
    return InvalidArgument("arg '{}' of fault '{}': expected {} from {} to {}", text, kind.name,
                           kind.unit, kind.min, kind.max);
  }
  fault.number = number;
  return absl::OkStatus();
}

std::vector<std::string_view> WordsOf(const FaultKind& kind) {
  std::vector<std::string_view> words;
  std::string_view rest = kind.words;
  while (!rest.empty()) {
    const std::size_t blank = rest.find(' ');
    words.push_back(rest.substr(0, blank));
    rest = blank == std::string_view::npos ? "" : rest.substr(blank + 1);
  }
  return words;
}

absl::Status ReadWord(const FaultKind& kind, std::string_view text, Fault& fault) {
  const std::vector<std::string_view> words = WordsOf(kind);
  if (std::find(words.begin(), words.end(), text) == words.end()) {
    return InvalidArgument("arg '{}' of fault '{}': expected one of {}", text, kind.name,
                           kind.words);
  }
  fault.word = std::string(text);
  return absl::OkStatus();
}

absl::Status ReadArgument(const FaultKind& kind, std::optional<std::string_view> text,
                          Fault& fault) {
  if (!text) {
    fault.word = kind.words.empty() ? "" : std::string(WordsOf(kind).front());
    return kind.argument == FaultKind::Argument::kRequired
               ? InvalidArgument("arg of fault '{}': expected {}", kind.name, kind.Usage())
               : absl::OkStatus();
  }
  if (kind.argument == FaultKind::Argument::kNone) {
    return InvalidArgument("arg '{}' of fault '{}': it takes none", *text, kind.name);
  }
  return kind.unit.empty() ? ReadWord(kind, *text, fault) : ReadNumber(kind, *text, fault);
}

absl::StatusOr<Fault> MakeFault(std::string_view name, std::optional<std::string_view> argument) {
  const FaultKind* kind = FindFaultKind(name);
  if (kind == nullptr) {
    return InvalidArgument("fault '{}' is unknown; known are {}", name, KnownFaults());
  }
  Fault fault;
  fault.id = kind->id;
  absl::Status status = ReadArgument(*kind, argument, fault);
  return status.ok() ? absl::StatusOr<Fault>(std::move(fault)) : status;
}

absl::Status CheckMembers(const json::object& request) {
  static constexpr std::array<std::string_view, 5> kMembers = {"fault", "arg", "session", "count",
                                                               "times"};
  for (const auto& [key, value] : request) {
    const std::string_view name(key.data(), key.size());
    if (std::find(kMembers.begin(), kMembers.end(), name) == kMembers.end()) {
      return InvalidArgument("{}: expected fault, arg, session, count or times", name);
    }
  }
  return absl::OkStatus();
}

absl::Status ReadCount(const json::object& request, std::string_view key,
                       std::optional<std::uint64_t>& count) {
  if (!request.contains(key)) {
    return absl::OkStatus();
  }
  const auto number = FindInteger(request, key);
  if (!number || *number < 1) {
    return InvalidArgument("{}: expected at least 1", key);
  }
  count = static_cast<std::uint64_t>(*number);
  return absl::OkStatus();
}

// Which of the counts have a meaning.
absl::Status CheckCounts(const Fault& fault) {
  const FaultKind& kind = KindOf(fault.id);
  if (fault.times && kind.scope != FaultScope::kTurn) {
    return InvalidArgument("times: fault '{}' does not come more than once in a session",
                           kind.name);
  }
  if (fault.session.empty()) {
    return absl::OkStatus();
  }
  if (!kind.late) {
    return InvalidArgument("session: fault '{}' cannot happen to an open session", kind.name);
  }
  return fault.count ? InvalidArgument("count: expected no session beside it") : absl::OkStatus();
}

}  // namespace

std::string Fault::Text() const {
  const std::string_view name = KindOf(id).name;
  if (number) {
    return fmt::format("{}:{}", name, *number);
  }
  return word.empty() ? std::string(name) : fmt::format("{}:{}", name, word);
}

absl::StatusOr<Fault> ParseFault(std::string_view text) {
  const std::size_t colon = text.find(':');
  const bool bare = colon == std::string_view::npos;
  return MakeFault(text.substr(0, colon),
                   bare ? std::nullopt : std::optional(text.substr(colon + 1)));
}

absl::StatusOr<Fault> ParseFault(const json::object& request) {
  if (absl::Status status = CheckMembers(request); !status.ok()) {
    return status;
  }
  const json::value* argument = request.if_contains("arg");
  std::optional<std::string> text;
  if (argument != nullptr && !argument->is_null()) {
    text = argument->is_string() ? std::string(View(argument->get_string()))
                                 : json::serialize(*argument);
  }
  absl::StatusOr<Fault> fault = MakeFault(
      StringOr(request, "fault"), text ? std::optional<std::string_view>(*text) : std::nullopt);
  if (!fault.ok()) {
    return fault;
  }
  fault->session = std::string(StringOr(request, "session"));
  for (const auto& [key, count] :
       {std::pair("count", &Fault::count), std::pair("times", &Fault::times)}) {
    if (absl::Status status = ReadCount(request, key, *fault.*count); !status.ok()) {
      return status;
    }
  }
  absl::Status status = CheckCounts(*fault);
  return status.ok() ? std::move(fault) : status;
}

void ActiveFaults::Add(Fault fault) {
  std::erase_if(faults_, [&](const Fault& other) { return other.id == fault.id; });
  faults_.push_back(std::move(fault));
}

const Fault* ActiveFaults::Find(FaultId id) const {
  const auto found = std::find_if(faults_.begin(), faults_.end(),
                                  [&](const Fault& fault) { return fault.id == id; });
  return found == faults_.end() || found->times == 0 ? nullptr : &*found;
}

bool ActiveFaults::IsCounted(FaultId id) const {
  const Fault* fault = Find(id);
  return fault != nullptr && fault->count.has_value();
}

std::optional<std::uint64_t> ActiveFaults::Number(FaultId id) const {
  const Fault* fault = Find(id);
  return fault == nullptr ? std::nullopt : fault->number;
}

Duration ActiveFaults::Milliseconds(FaultId id) const {
  return milliseconds(Number(id).value_or(0));
}

std::optional<Fault> ActiveFaults::Take(FaultId id) {
  auto* fault = const_cast<Fault*>(std::as_const(*this).Find(id));
  if (fault == nullptr) {
    return std::nullopt;
  }
  if (fault->times) {
    --*fault->times;
  }
  return *fault;
}

json::array ActiveFaults::ToJson() const {
  json::array array;
  for (const Fault& fault : faults_) {
    array.emplace_back(fault.Text());
  }
  return array;
}

std::optional<Fault> Faults::TakeForUpgrade(FaultId id) {
  return Take([&](const Fault& fault) { return fault.id == id; }).Take(id);
}

ActiveFaults Faults::TakeForSession() {
  return Take([](const Fault& fault) {
    const FaultScope scope = KindOf(fault.id).scope;
    return scope == FaultScope::kSession || scope == FaultScope::kTurn;
  });
}

ActiveFaults Faults::TakeForCall() {
  return Take([](const Fault& fault) { return KindOf(fault.id).scope == FaultScope::kCall; });
}

template <class Fits>
ActiveFaults Faults::Take(Fits fits) {
  ActiveFaults taken;
  for (Fault& fault : faults_) {
    if (!fits(fault) || taken.IsCounted(fault.id)) {
      continue;
    }
    taken.Add(fault);
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
    json::object object = {{"fault", KindOf(fault.id).name}};
    if (fault.number) {
      object["arg"] = *fault.number;
    } else if (!fault.word.empty()) {
      object["arg"] = fault.word;
    }
    if (fault.count) {
      object["count"] = *fault.count;
    }
    if (fault.times) {
      object["times"] = *fault.times;
    }
    array.push_back(std::move(object));
  }
  return array;
}

}  // namespace voicebridge::simulator
