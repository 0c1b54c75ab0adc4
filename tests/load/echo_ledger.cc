#include "tests/load/echo_ledger.h"

namespace voicebridge::load {

void EchoCounts::Add(const EchoCounts& other) {
  sent += other.sent;
  echoed += other.echoed;
  duplicated += other.duplicated;
  reordered += other.reordered;
  foreign += other.foreign;
}

bool EchoLedger::Returned(std::uint32_t sequence) {
  if (sequence >= counts_.sent) {
    ++counts_.foreign;
    return false;
  }
  if (returned_[sequence]) {
    ++counts_.duplicated;
    return false;
  }
  returned_[sequence] = true;
  ++counts_.echoed;
  if (sequence < next_) {
    ++counts_.reordered;
  } else {
    next_ = std::uint64_t{sequence} + 1;
  }
  return true;
}

}  // namespace voicebridge::load
