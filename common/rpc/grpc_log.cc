#include "common/rpc/grpc_log.h"

#include <grpc/support/log.h>

#include <atomic>
#include <utility>

namespace voicebridge {
namespace {

// gRPC takes a plain function. What it calls is never destroyed: a thread of gRPC's may be in it.
std::atomic<const HearGrpc*> heard_by = nullptr;

void Hear(gpr_log_func_args* line) {
  const HearGrpc* const hear = heard_by.load();
  (*hear)({line->file, line->severity == GPR_LOG_SEVERITY_ERROR, line->message});
}

}  // namespace

void HearGrpcLog(HearGrpc hear) {
  heard_by.store(new HearGrpc(std::move(hear)));
  gpr_set_log_function(&Hear);
  gpr_set_log_verbosity(GPR_LOG_SEVERITY_DEBUG);
}

}  // namespace voicebridge
