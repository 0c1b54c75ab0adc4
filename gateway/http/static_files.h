// The page's files, read once at start: no file is opened while conversations run, and no path of a
// request ever reaches the file system.
#pragma once

#include <absl/status/statusor.h>

#include <map>
#include <string>
#include <string_view>

#include "common/http/http_message.h"

namespace voicebridge::gateway {

// Immutable; calls may overlap.
class StaticFiles {
 public:
  // No files at all.
  StaticFiles() = default;

  // All regular files below `root` whose types a page is made of; hidden ones are left out. `/`
  // stands for index.html. INVALID_ARGUMENT: what is wrong with the directory, by path.
  static absl::StatusOr<StaticFiles> Load(const std::string& root);

  bool Contains(const std::string& path) const { return files_.contains(path); }

  // 200, 304 (RFC 9110 13.1.2), 405 or 404, with the security headers of a page.
  HttpResponse Respond(const HttpRequest& request) const;

 private:
  struct File {
    std::string content;
    std::string_view content_type;  // Of the table of types.
    std::string etag;
  };

  absl::Status Add(const std::string& path, const std::string& file_name);

  std::map<std::string, File> files_;  // By request path.
};

}  // namespace voicebridge::gateway
