// Misbehaviour on request.
#pragma once

#include <absl/status/statusor.h>

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "common/core/time.h"
#include "common/json/json.h"

namespace voicebridge::simulator {

// What one session does wrong. Counts are of server events unless it says otherwise.
struct SessionFaults {
  // At the upgrade.
  std::optional<unsigned> refuse_status;
  // Upgrade, error, close 3000.
  bool bad_key = false;
  // Cut right after the upgrade, or after so many events.
  bool drop = false;
  std::optional<std::uint64_t> drop_after;
  // Neither sends nor reads after so many events, or else after session.updated.
  bool mute = false;
  std::optional<std::uint64_t> mute_after;
  // Reads no more, and so answers no close frame, after so many client events, or else after the
  // first session.update. It still sends.
  bool no_close = false;
  std::optional<std::uint64_t> no_close_after;
  // After session.updated, as fast as the peer reads, up to so much.
  bool flood = false;
  std::optional<std::uint64_t> flood_mib;
  Duration accept_delay{};                      // Before session.created.
  Duration configure_delay{};                   // Before session.updated.
  std::optional<Duration> session_length = {};  // Until session_expired.
};

struct Fault {
  std::string name;
  std::optional<std::uint64_t> argument;
  std::string session;                 // Empty: future sessions.
  std::optional<std::uint64_t> count;  // How many future sessions; nullopt: all.
};

// "NAME" or "NAME:ARG", as on the command line. INVALID_ARGUMENT names the faults that exist.
absl::StatusOr<Fault> ParseFault(std::string_view text);
// {"fault":"NAME","arg":N|"N","session":"..."?,"count":N?}
absl::StatusOr<Fault> ParseFault(const json::object& request);

// Whether it can still happen to a session that has begun.
bool AppliesToOpenSession(const Fault& fault);

// Adds one fault to what a session does.
void Apply(const Fault& fault, SessionFaults& faults);

// The faults in force for sessions to come. Owned by the service.
class Faults {
 public:
  void Add(Fault fault) { faults_.push_back(std::move(fault)); }
  void Clear() { faults_.clear(); }

  // Of the connection that now begins; counts down. Faults of the upgrade are taken by themselves.
  std::optional<unsigned> TakeRefusal();
  SessionFaults TakeForSession();

  json::array ToJson() const;

 private:
  SessionFaults Take(bool at_upgrade);

  std::vector<Fault> faults_;
};

}  // namespace voicebridge::simulator
