// When files that change are to be taken. Pure.
#pragma once

#include <string>
#include <utility>

namespace voicebridge {

// Looks at what one or more files hold together, again and again. What is new is taken once it was
// seen twice: whoever writes several files, or one of them slowly, has ended by then. What was
// tried is not tried again, whether it was good or bad, until something changes.
class FileWatch {
 public:
  // `print` stands for all that the files hold; equal prints, equal files.
  explicit FileWatch(std::string print) : tried_(std::move(print)) {}

  // True: what has this print is to be taken, or refused, now.
  bool OnLook(std::string print);

 private:
  std::string tried_;
  std::string seen_;
};

}  // namespace voicebridge
