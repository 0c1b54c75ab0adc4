// A secret that is replaced while it is in use.
#pragma once

#include <atomic>
#include <memory>
#include <utility>

#include "common/core/secret.h"

namespace voicebridge {

// From any thread; outlives whoever reads it.
class ChangingSecret {
 public:
  explicit ChangingSecret(Secret secret)
      : secret_(std::make_shared<const Secret>(std::move(secret))) {}

  Secret Now() const { return *secret_.load(); }
  void Set(Secret secret) { secret_.store(std::make_shared<const Secret>(std::move(secret))); }

 private:
  std::atomic<std::shared_ptr<const Secret>> secret_;
};

}  // namespace voicebridge
