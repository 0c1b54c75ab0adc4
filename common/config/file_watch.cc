#include "common/config/file_watch.h"

namespace voicebridge {

bool FileWatch::OnLook(std::string print) {
  const bool settled = print == seen_;
  seen_ = std::move(print);
  if (!settled || seen_ == tried_) {
    return false;
  }
  tried_ = seen_;
  return true;
}

}  // namespace voicebridge
