// The wall clock of one process, moved under its feet and nobody else's: preloaded into a program
// (LD_PRELOAD), it takes the place of the C library's functions of these names. CLOCK_REALTIME is
// off by the seconds in the file that WALL_CLOCK names. CLOCK_MONOTONIC is left alone, as it is
// when somebody sets a clock.
//
// Who waits until an instant of the wall clock waits in slices, and looks at the clock between
// them: so the wait ends when that instant is there, also if the clock jumps meanwhile.
#include <dlfcn.h>
#include <fcntl.h>
#include <linux/futex.h>
#include <pthread.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdarg>
#include <cstdint>
#include <cstdlib>

namespace {

constexpr std::int64_t kSliceNs = 20'000'000;
constexpr std::int64_t kSecondNs = 1'000'000'000;
// Before it lie the instants of the monotonic clock, which the same functions may be given.
constexpr time_t kFirstWallSecond = 1'000'000'000;

template <class Function>
Function* Real(const char* name) {
  return reinterpret_cast<Function*>(::dlsym(RTLD_NEXT, name));
}

const volatile std::int64_t* MapOffset() {
  static constexpr std::int64_t kNone = 0;
  const char* path = std::getenv("WALL_CLOCK");
  const int file = path == nullptr ? -1 : ::open(path, O_RDONLY | O_CLOEXEC);
  if (file < 0) {
    return &kNone;
  }
  void* const mapped = ::mmap(nullptr, sizeof(kNone), PROT_READ, MAP_SHARED, file, 0);
  ::close(file);
  return mapped == MAP_FAILED ? &kNone : static_cast<const std::int64_t*>(mapped);
}

std::int64_t OffsetSeconds() {
  static const volatile std::int64_t* const offset = MapOffset();
  return *offset;
}

int ReadClock(clockid_t clock, timespec* now) {
  static auto* const real = Real<decltype(clock_gettime)>("clock_gettime");
  return real(clock, now);
}

// What is left until that instant of the wall clock, a slice at most; 0: it is there.
std::int64_t SliceUntil(const timespec& until) {
  timespec now = {};
  ::clock_gettime(CLOCK_REALTIME, &now);
  const std::int64_t seconds = std::clamp<std::int64_t>(until.tv_sec - now.tv_sec, -2, 2);
  return std::clamp<std::int64_t>(seconds * kSecondNs + until.tv_nsec - now.tv_nsec, 0, kSliceNs);
}

timespec MonotonicIn(std::int64_t nanoseconds) {
  timespec instant = {};
  ReadClock(CLOCK_MONOTONIC, &instant);
  const std::int64_t sum = instant.tv_nsec + nanoseconds;
  instant.tv_sec += sum / kSecondNs;
  instant.tv_nsec = sum % kSecondNs;
  return instant;
}

}  // namespace

extern "C" {

int clock_gettime(clockid_t clock, timespec* now) noexcept {
  const int result = ReadClock(clock, now);
  if (result == 0 && (clock == CLOCK_REALTIME || clock == CLOCK_REALTIME_COARSE)) {
    now->tv_sec += OffsetSeconds();
  }
  return result;
}

int gettimeofday(timeval* now, void*) noexcept {
  timespec wall = {};
  const int result = ::clock_gettime(CLOCK_REALTIME, &wall);
  now->tv_sec = wall.tv_sec;
  now->tv_usec = wall.tv_nsec / 1000;
  return result;
}

time_t time(time_t* now) noexcept {
  timespec wall = {};
  ::clock_gettime(CLOCK_REALTIME, &wall);
  if (now != nullptr) {
    *now = wall.tv_sec;
  }
  return wall.tv_sec;
}

int pthread_cond_timedwait(pthread_cond_t* condition, pthread_mutex_t* mutex,
                           const timespec* until) {
  static auto* const real = Real<decltype(pthread_cond_timedwait)>("pthread_cond_timedwait");
  static auto* const on_clock = Real<decltype(pthread_cond_clockwait)>("pthread_cond_clockwait");
  if (until->tv_sec < kFirstWallSecond) {
    return real(condition, mutex, until);
  }
  while (true) {
    const std::int64_t slice = SliceUntil(*until);
    const timespec end = MonotonicIn(slice);
    const int result = on_clock(condition, mutex, CLOCK_MONOTONIC, &end);
    if (result != ETIMEDOUT || slice == 0) {
      return result;
    }
  }
}

// Abseil waits by the system call itself.
long syscall(long number, ...) noexcept {
  static auto* const real = Real<long(long, ...)>("syscall");
  std::va_list list;
  va_start(list, number);
  long arguments[6];
  for (long& argument : arguments) {
    argument = va_arg(list, long);
  }
  va_end(list);
  const auto* until = reinterpret_cast<const timespec*>(arguments[3]);
  const bool waits = number == SYS_futex && (arguments[1] & FUTEX_CLOCK_REALTIME) != 0;
  if (!waits || until == nullptr) {
    return real(number, arguments[0], arguments[1], arguments[2], arguments[3], arguments[4],
                arguments[5]);
  }
  const long operation = FUTEX_WAIT | (arguments[1] & FUTEX_PRIVATE_FLAG);
  while (true) {
    const std::int64_t slice = SliceUntil(*until);
    const timespec relative = {0, slice};
    const long result =
        real(SYS_futex, arguments[0], operation, arguments[2], &relative, nullptr, 0L);
    if (result != -1 || errno != ETIMEDOUT || slice == 0) {
      return result;
    }
  }
}

}  // extern "C"
