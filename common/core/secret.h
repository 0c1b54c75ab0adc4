// A string that must not reach a log.
#pragma once

#include <ostream>
#include <string>
#include <utility>

namespace voicebridge {

class Secret {
 public:
  Secret() = default;
  explicit Secret(std::string value) : value_(std::move(value)) {}

  // The value itself; call it only where it is put on a wire or compared.
  const std::string& Reveal() const { return value_; }
  bool empty() const { return value_.empty(); }

  friend std::ostream& operator<<(std::ostream& out, const Secret&) { return out << "***"; }

 private:
  std::string value_;
};

}  // namespace voicebridge
