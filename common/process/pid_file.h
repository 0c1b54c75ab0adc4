// The process id, for whoever stops the process.
#pragma once

#include <absl/status/statusor.h>

#include <string>

namespace voicebridge {

// Written at construction through a temporary file and a rename, removed at destruction if it still
// holds this process's id.
class PidFile {
 public:
  static absl::StatusOr<PidFile> Write(std::string path);
  PidFile() = default;
  PidFile(PidFile&& other) noexcept;
  PidFile& operator=(PidFile&& other) noexcept;
  ~PidFile();

  void Remove();

 private:
  explicit PidFile(std::string path) : path_(std::move(path)) {}
  std::string path_;  // Empty: none.
};

}  // namespace voicebridge
