// Calls into the system that do not return for as long as a test wants: preloaded into a program
// (LD_PRELOAD), it takes the place of the C library's functions of these names.
//
// Each of them waits while a file of its key is in the directory STUCK_CALLS_DIR:
//   getaddrinfo            the host that is looked up
//   fsync, fdatasync       fsync
//   write                  write; to standard error only
//   clock_nanosleep        clock_nanosleep; a shard naps by it
// It says so by a byte in the file KEY.waiting.
#include <dlfcn.h>
#include <fcntl.h>
#include <netdb.h>
#include <poll.h>
#include <time.h>
#include <unistd.h>

#include <climits>
#include <cstdio>
#include <cstdlib>

namespace {

constexpr int kLookAgainMs = 5;

// A file of the test's directory; its path is empty where there is none.
struct File {
  File(const char* key, const char* suffix) {
    const char* directory = std::getenv("STUCK_CALLS_DIR");
    const int size = directory == nullptr
                         ? 0
                         : std::snprintf(path, sizeof(path), "%s/%s%s", directory, key, suffix);
    if (size >= static_cast<int>(sizeof(path))) {
      path[0] = '\0';
    }
  }

  bool Exists() const { return path[0] != '\0' && ::access(path, F_OK) == 0; }

  void AppendByte() const {
    const int file = ::open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, S_IRUSR | S_IWUSR);
    [[maybe_unused]] const ssize_t written = ::write(file, ".", 1);
    ::close(file);
  }

  char path[PATH_MAX] = "";
};

void WaitWhileHeld(const char* key) {
  const File held(key, "");
  if (held.Exists()) {
    File(key, ".waiting").AppendByte();
  }
  while (held.Exists()) {
    ::poll(nullptr, 0, kLookAgainMs);
  }
}

template <class Function>
Function* Real(const char* name) {
  return reinterpret_cast<Function*>(::dlsym(RTLD_NEXT, name));
}

}  // namespace

extern "C" {

int getaddrinfo(const char* host, const char* service, const addrinfo* hints, addrinfo** found) {
  if (host != nullptr) {
    WaitWhileHeld(host);
  }
  return Real<decltype(getaddrinfo)>("getaddrinfo")(host, service, hints, found);
}

int fsync(int file) {
  WaitWhileHeld("fsync");
  return Real<decltype(fsync)>("fsync")(file);
}

int fdatasync(int file) {
  WaitWhileHeld("fsync");
  return Real<decltype(fdatasync)>("fdatasync")(file);
}

ssize_t write(int file, const void* data, std::size_t size) {
  if (file == STDERR_FILENO) {
    WaitWhileHeld("write");
  }
  return Real<decltype(write)>("write")(file, data, size);
}

int clock_nanosleep(clockid_t clock, int flags, const timespec* request, timespec* left) {
  WaitWhileHeld("clock_nanosleep");
  return Real<decltype(clock_nanosleep)>("clock_nanosleep")(clock, flags, request, left);
}

}  // extern "C"
