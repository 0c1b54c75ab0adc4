/* Preloaded into a process, so that a test can move the wall clock under its feet and nobody else's: CLOCK_REALTIME is
 * off by the seconds in the file that WALL_CLOCK names. Waits until an instant of that clock end when it is there, also
 * if it jumps meanwhile, as the kernel does it. CLOCK_MONOTONIC is left alone, as it is when a clock is set. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/futex.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

enum { kSliceNs = 20 * 1000 * 1000, kSecondNs = 1000 * 1000 * 1000 };

static volatile int64_t none;
static volatile int64_t *offset = &none;
static long (*next_syscall)(long, ...);
static int (*next_clock_gettime)(clockid_t, struct timespec *);
static int (*next_clockwait)(pthread_cond_t *, pthread_mutex_t *, clockid_t, const struct timespec *);

__attribute__((constructor)) static void begin(void) {
  next_syscall = dlsym(RTLD_NEXT, "syscall");
  next_clock_gettime = dlsym(RTLD_NEXT, "clock_gettime");
  next_clockwait = dlsym(RTLD_NEXT, "pthread_cond_clockwait");
  const char *path = getenv("WALL_CLOCK");
  const int file = path == NULL ? -1 : open(path, O_RDONLY | O_CLOEXEC);
  void *mapped = file < 0 ? MAP_FAILED : mmap(NULL, sizeof(int64_t), PROT_READ, MAP_SHARED, file, 0);
  if (mapped != MAP_FAILED) {
    offset = mapped;
  }
}

static int is_wall(clockid_t clock) { return clock == CLOCK_REALTIME || clock == CLOCK_REALTIME_COARSE; }

int clock_gettime(clockid_t clock, struct timespec *now) {
  if (next_clock_gettime == NULL) {
    begin();
  }
  const int result = next_clock_gettime(clock, now);
  if (result == 0 && is_wall(clock)) {
    now->tv_sec += *offset;
  }
  return result;
}

int gettimeofday(struct timeval *now, void *zone) {
  (void)zone;
  struct timespec wall;
  const int result = clock_gettime(CLOCK_REALTIME, &wall);
  now->tv_sec = wall.tv_sec;
  now->tv_usec = wall.tv_nsec / 1000;
  return result;
}

time_t time(time_t *now) {
  struct timespec wall;
  clock_gettime(CLOCK_REALTIME, &wall);
  if (now != NULL) {
    *now = wall.tv_sec;
  }
  return wall.tv_sec;
}

/* What is left until that instant of the wall clock, but a slice at most; 0: it is there. */
static long slice_until(const struct timespec *until) {
  struct timespec now;
  clock_gettime(CLOCK_REALTIME, &now);
  const int64_t seconds = until->tv_sec - now.tv_sec;
  const int64_t left = seconds > 1 ? kSecondNs : seconds < -1 ? 0 : seconds * kSecondNs + until->tv_nsec - now.tv_nsec;
  return left <= 0 ? 0 : left < kSliceNs ? (long)left : kSliceNs;
}

int pthread_cond_timedwait(pthread_cond_t *condition, pthread_mutex_t *mutex, const struct timespec *until) {
  /* std::condition_variable asks for the steady clock by another call; gRPC sets it as the attribute of its own, and
   * then names an instant so early that it can be no wall time. */
  static int (*next)(pthread_cond_t *, pthread_mutex_t *, const struct timespec *);
  if (next == NULL) {
    next = dlsym(RTLD_NEXT, "pthread_cond_timedwait");
  }
  if (until->tv_sec < 1000000000) {
    return next(condition, mutex, until);
  }
  for (;;) {
    struct timespec end;
    next_clock_gettime(CLOCK_MONOTONIC, &end);
    const long slice = slice_until(until);
    end.tv_nsec += slice;
    if (end.tv_nsec >= kSecondNs) {
      end.tv_nsec -= kSecondNs;
      end.tv_sec += 1;
    }
    const int result = next_clockwait(condition, mutex, CLOCK_MONOTONIC, &end);
    if (result != ETIMEDOUT || slice == 0) {
      return result;
    }
  }
}

/* Abseil waits by the system call itself. */
long syscall(long number, ...) {
  va_list list;
  va_start(list, number);
  long a[6];
  for (int i = 0; i < 6; ++i) {
    a[i] = va_arg(list, long);
  }
  va_end(list);
  const struct timespec *until = (const struct timespec *)a[3];
  if (number != SYS_futex || (a[1] & FUTEX_CLOCK_REALTIME) == 0 || until == NULL) {
    return next_syscall(number, a[0], a[1], a[2], a[3], a[4], a[5]);
  }
  for (;;) {
    const long slice = slice_until(until);
    const struct timespec relative = {0, slice};
    const long result = next_syscall(SYS_futex, a[0], FUTEX_WAIT | (a[1] & FUTEX_PRIVATE_FLAG), a[2], &relative, NULL, 0);
    if (result != -1 || errno != ETIMEDOUT || slice == 0) {
      return result;
    }
  }
}
