#include "common/process/pid_file.h"

#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <fstream>
#include <utility>

#include "common/core/status.h"

namespace voicebridge {

absl::StatusOr<PidFile> PidFile::Write(std::string path) {
  const std::string temporary = fmt::format("{}.{}.tmp", path, getpid());
  {
    std::ofstream file(temporary, std::ios::trunc);
    file << getpid() << '\n';
    file.flush();
    if (!file) {
      std::remove(temporary.c_str());
      return InvalidArgument("pid file {}: cannot be written", path);
    }
  }
  if (std::rename(temporary.c_str(), path.c_str()) != 0) {
    const int error = errno;
    std::remove(temporary.c_str());
    return InvalidArgument("pid file {}: {}", path, std::strerror(error));
  }
  return PidFile(std::move(path));
}

PidFile::PidFile(PidFile&& other) noexcept : path_(std::exchange(other.path_, {})) {}

PidFile& PidFile::operator=(PidFile&& other) noexcept {
  if (this != &other) {
    Remove();
    path_ = std::exchange(other.path_, {});
  }
  return *this;
}

PidFile::~PidFile() { Remove(); }

void PidFile::Remove() {
  const std::string path = std::exchange(path_, {});
  if (path.empty()) {
    return;
  }
  pid_t owner = 0;
  std::ifstream(path) >> owner;
  if (owner == getpid()) {  // Else a successor has taken the path over.
    std::remove(path.c_str());
  }
}

}  // namespace voicebridge
