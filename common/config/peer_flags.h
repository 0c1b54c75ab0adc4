// What gateway and worker are told about the ports between our own processes.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "common/config/certificate_files.h"
#include "common/config/flags.h"

namespace voicebridge {

// The names of the flags, to be added to those of the program.
void AddPeerFlags(std::vector<std::string>& flags);

// From the parsed flags. nullopt without an error: these ports are plain.
std::optional<Loaded<PeerIdentity>> LoadPeerFlags(ConfigErrors& errors);

// `address` of a listener that whoever reaches it could use, unless one of the two protects it.
void CheckInternalListener(std::string_view flag, const std::string& address, bool has_peer_tls,
                           bool insecure_no_auth, ConfigErrors& errors);

}  // namespace voicebridge
