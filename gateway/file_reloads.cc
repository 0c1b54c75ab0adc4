#include "gateway/file_reloads.h"

#include <memory>
#include <optional>
#include <utility>

#include "common/core/status.h"
#include "gateway/key_files.h"

namespace voicebridge::gateway {
namespace {

void TakeCertificate(const ReloadTargets& targets, const std::vector<NamedFile>& files,
                     ConfigErrors& errors) {
  const std::optional<KeyPair> pair = ParseKeyPair(files, errors);
  if (!pair) {
    return;
  }
  if (const absl::Status used = targets.public_server.UseCertificate(*pair); !used.ok()) {
    errors.Add(files.front().flag, Message(used));
    return;
  }
  targets.certificates.InForce("certificate.reloaded", "public", pair->facts);
}

// The policy is replaced as a whole: a request sees the old one or the new one.
template <class Change>
void ChangeAuth(const ReloadTargets& targets, const NamedFile& file, std::size_t keys,
                Change change) {
  auto changed = std::make_shared<AuthPolicy>(*targets.service.auth());
  change(*changed);
  targets.service.SetAuth(std::move(changed));
  targets.logger.Info("keys.reloaded", {{"flag", file.flag}, {"keys", keys}});
}

void TakeApiKeys(const ReloadTargets& targets, const NamedFile& file, ConfigErrors& errors) {
  if (std::optional<ApiKeys> keys = ParseApiKeys(file, errors)) {
    ChangeAuth(targets, file, keys->size(),
               [&](AuthPolicy& policy) { policy.api_keys = *std::move(keys); });
  }
}

void TakeSigningKeys(const ReloadTargets& targets, const NamedFile& file, ConfigErrors& errors) {
  if (std::optional<SigningKeys> keys = ParseSigningKeys(file, errors)) {
    ChangeAuth(targets, file, keys->keys().size(),
               [&](AuthPolicy& policy) { policy.signing_keys = *std::move(keys); });
  }
}

}  // namespace

void AddReloads(const GatewayConfig& config, const ReloadTargets& targets, Reloader& reloader) {
  if (config.tls) {
    reloader.Add(config.tls->files, [targets](const auto& files, ConfigErrors& errors) {
      TakeCertificate(targets, files, errors);
    });
  }
  if (config.api_keys_file) {
    reloader.Add({*config.api_keys_file}, [targets](const auto& files, ConfigErrors& errors) {
      TakeApiKeys(targets, files.front(), errors);
    });
  }
  if (config.signing_keys_file) {
    reloader.Add({*config.signing_keys_file}, [targets](const auto& files, ConfigErrors& errors) {
      TakeSigningKeys(targets, files.front(), errors);
    });
  }
}

}  // namespace voicebridge::gateway
