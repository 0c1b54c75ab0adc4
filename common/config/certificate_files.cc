#include "common/config/certificate_files.h"

#include <cstddef>
#include <string_view>
#include <utility>

#include "common/core/status.h"

namespace voicebridge {
namespace {

void Complain(const NamedFile& file, const absl::Status& status, ConfigErrors& errors) {
  errors.Add(file.flag, fmt::format("\"{}\": {}", file.path, Message(status)));
}

}  // namespace

std::optional<KeyPair> ParseKeyPair(const std::vector<NamedFile>& files, ConfigErrors& errors) {
  const NamedFile& certificate = files[0];
  const NamedFile& key = files[1];
  absl::StatusOr<CertificateFacts> facts = ReadChain(certificate.text.Reveal());
  if (!facts.ok()) {
    Complain(certificate, facts.status(), errors);
    return std::nullopt;
  }
  if (const absl::Status fits = CheckKey(certificate.text.Reveal(), key.text); !fits.ok()) {
    Complain(key, fits, errors);
    return std::nullopt;
  }
  return KeyPair{certificate.text.Reveal(), key.text, *std::move(facts)};
}

std::optional<PeerIdentity> ParsePeerIdentity(const std::vector<NamedFile>& files,
                                              ConfigErrors& errors) {
  std::optional<KeyPair> own = ParseKeyPair(files, errors);
  const NamedFile& authorities = files[2];
  const absl::Status trusted = CheckAuthorities(authorities.text.Reveal());
  if (!trusted.ok()) {
    Complain(authorities, trusted, errors);
  }
  if (!own || !trusted.ok()) {
    return std::nullopt;
  }
  return PeerIdentity{*std::move(own), authorities.text.Reveal()};
}

std::optional<Loaded<PeerIdentity>> LoadPeerIdentity(const PeerPaths& paths, ConfigErrors& errors) {
  const std::pair<std::string_view, const std::string&> named[] = {
      {"peer_cert", paths.certificate}, {"peer_key", paths.key}, {"peer_ca", paths.authorities}};
  if (paths.certificate.empty() && paths.key.empty() && paths.authorities.empty()) {
    return std::nullopt;
  }
  Loaded<PeerIdentity> loaded;
  for (const auto& [flag, path] : named) {
    if (path.empty()) {
      errors.Add(flag, "missing: --peer_cert, --peer_key and --peer_ca come together");
    } else if (std::optional<NamedFile> file = ReadNamedFile(flag, path, errors)) {
      loaded.files.push_back(*std::move(file));
    }
  }
  if (loaded.files.size() != std::size(named)) {
    return std::nullopt;
  }
  std::optional<PeerIdentity> identity = ParsePeerIdentity(loaded.files, errors);
  if (!identity) {
    return std::nullopt;
  }
  loaded.value = *std::move(identity);
  return loaded;
}

}  // namespace voicebridge
