#include "bridge_worker/store/lost_records.h"

#include <string>

namespace voicebridge::worker {
namespace {

std::string WordOf(RecordKind kind) {
  switch (kind) {
    case RecordKind::kSession:
      return "session";
    case RecordKind::kAssessment:
      return "assessment";
    case RecordKind::kLastWords:
      return "last_words";
    case RecordKind::kReport:
      return "report";
    case RecordKind::kToolOutput:
      return "tool_output";
  }
  return "";
}

}  // namespace

LostRecords::LostRecords(prometheus::Registry& registry) {
  auto& family = prometheus::BuildCounter()
                     .Name("voicebridge_worker_records_lost_total")
                     .Help("Records that could not be stored, and are not tried again, by kind.")
                     .Register(registry);
  for (std::size_t i = 0; i < by_kind_.size(); ++i) {
    by_kind_[i] = &family.Add({{"record", WordOf(static_cast<RecordKind>(i))}});
  }
}

}  // namespace voicebridge::worker
