// Misbehaviour on request.
#pragma once

#include <absl/status/statusor.h>

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "common/core/time.h"
#include "common/json/json.h"
#include "tests/simulator/fault_kinds.h"

namespace voicebridge::simulator {

struct Fault {
  FaultId id = FaultId::kRefuse;
  std::optional<std::uint64_t> number;
  std::string word;                    // The default when none was given.
  std::string session;                 // Empty: future sessions.
  std::optional<std::uint64_t> count;  // How many future sessions or calls; nullopt: all.
  std::optional<std::uint64_t>
      times;  // Of faults of turns: how often in a session; nullopt: always.

  // "NAME" or "NAME:ARG".
  std::string Text() const;
};

// "NAME" or "NAME:ARG", as on the command line. INVALID_ARGUMENT names the faults that exist.
absl::StatusOr<Fault> ParseFault(std::string_view text);
// {"fault":"NAME","arg":N|"WORD"?,"session":"..."?,"count":N?,"times":N?}
absl::StatusOr<Fault> ParseFault(const json::object& request);

// The faults of one session or call. A value.
class ActiveFaults {
 public:
  // Replaces the one of that name.
  void Add(Fault fault);

  bool Has(FaultId id) const { return Find(id) != nullptr; }
  // It holds for a number of sessions or calls; further ones of that name wait for their turn.
  bool IsCounted(FaultId id) const;
  // Its argument; nullopt: none was given, or it is not in force.
  std::optional<std::uint64_t> Number(FaultId id) const;
  // Zero when it is not in force.
  Duration Milliseconds(FaultId id) const;
  // For something that happens now; counts `times` down. nullopt: not in force, or no more.
  std::optional<Fault> Take(FaultId id);

  json::array ToJson() const;

 private:
  const Fault* Find(FaultId id) const;

  std::vector<Fault> faults_;
};

// The faults in force for upgrades, sessions and calls to come. Owned by the service.
class Faults {
 public:
  void Add(Fault fault) { faults_.push_back(std::move(fault)); }
  void Clear() { faults_.clear(); }

  // Each counts down what it takes.
  std::optional<Fault> TakeForUpgrade(FaultId id);
  ActiveFaults TakeForSession();
  ActiveFaults TakeForCall();

  json::array ToJson() const;

 private:
  template <class Fits>
  ActiveFaults Take(Fits fits);

  std::vector<Fault> faults_;
};

}  // namespace voicebridge::simulator
