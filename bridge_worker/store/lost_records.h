// What was to be stored and never will be, counted for the operator.
#pragma once

#include <prometheus/counter.h>
#include <prometheus/registry.h>

#include <array>
#include <cstddef>

namespace voicebridge::worker {

enum class RecordKind {
  kSession,     // Items of a session, or its end.
  kAssessment,  // One that was triggered; its user is told that it failed.
  kLastWords,   // Transcripts that came after the trigger: it is assessed without them.
  kReport,      // The result of an assessment; it is written anew when its lease ends.
  kToolOutput,  // The outcome of this call is unknown to whoever takes the session over.
};

// One counter per kind: a closed set of labels. May be used on any thread.
class LostRecords {
 public:
  explicit LostRecords(prometheus::Registry& registry);

  void Count(RecordKind kind) { by_kind_[static_cast<std::size_t>(kind)]->Increment(); }
  double CountOf(RecordKind kind) const {
    return by_kind_[static_cast<std::size_t>(kind)]->Value();
  }

 private:
  std::array<prometheus::Counter*, 5> by_kind_{};
};

}  // namespace voicebridge::worker
