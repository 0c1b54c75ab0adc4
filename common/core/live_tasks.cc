#include "common/core/live_tasks.h"

#include <cstring>

namespace voicebridge {

// A row is only taken after all rows before it were seen to hold other names, and no row is ever
// given back: so one text has one row, whoever looks for it first and at the same time.
LiveTasks::Kind LiveTasks::Find(const char* name) {
  for (Kind kind = 0; kind < kKindsMax; ++kind) {
    const char* held = rows_[kind].name.load(std::memory_order_relaxed);
    if (held == nullptr && rows_[kind].name.compare_exchange_strong(held, name)) {
      return kind;
    }
    if (held == name || std::strcmp(held, name) == 0) {
      return kind;
    }
  }
  return kKindsMax;
}

LiveTasks::Kind LiveTasks::Add(TaskName name) {
  const Kind kind = Find(name.text());
  rows_[kind].count.fetch_add(1, std::memory_order_relaxed);
  total_.fetch_add(1, std::memory_order_relaxed);
  return kind;
}

void LiveTasks::Remove(Kind kind) {
  rows_[kind].count.fetch_sub(1, std::memory_order_relaxed);
  total_.fetch_sub(1, std::memory_order_relaxed);
}

std::string_view LiveTasks::NameOf(Kind kind) const {
  return kind == kKindsMax ? kOtherKinds : rows_[kind].name.load(std::memory_order_relaxed);
}

}  // namespace voicebridge
