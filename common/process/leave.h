// The only way out of a process.
#pragma once

#include <unistd.h>

#include <cstdio>

#include "common/process/exit_code.h"

#if defined(__has_feature)
#if __has_feature(address_sanitizer)
#include <sanitizer/lsan_interface.h>
#define VOICEBRIDGE_LEAK_CHECK 1
#endif
#endif

namespace voicebridge {

// Ends the process without static destructors or atexit handlers, which could wait for threads that
// are stuck in a library. Under AddressSanitizer leaks are checked first.
[[noreturn]] inline void Leave(ExitCode code) {
  std::fflush(stdout);
#ifdef VOICEBRIDGE_LEAK_CHECK
  __lsan_do_leak_check();
#endif
  ::_exit(static_cast<int>(code));
}

}  // namespace voicebridge
