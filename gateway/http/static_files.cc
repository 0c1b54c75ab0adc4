#include "gateway/http/static_files.h"

#include <openssl/sha.h>

#include <algorithm>
#include <array>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string_view>
#include <system_error>
#include <utility>

#include "common/core/base64.h"
#include "common/core/status.h"

namespace voicebridge::gateway {
namespace {

namespace fs = std::filesystem;

constexpr std::uintmax_t kFileMax = 4U << 20U;
constexpr std::size_t kFilesMax = 1000;

struct ContentType {
  std::string_view extension;
  std::string_view name;
};

constexpr std::array kContentTypes = {
    ContentType{".html", "text/html; charset=utf-8"},
    ContentType{".css", "text/css; charset=utf-8"},
    ContentType{".js", "text/javascript; charset=utf-8"},
    ContentType{".mjs", "text/javascript; charset=utf-8"},
    ContentType{".json", "application/json"},
    ContentType{".webmanifest", "application/manifest+json"},
    ContentType{".svg", "image/svg+xml"},
    ContentType{".png", "image/png"},
    ContentType{".ico", "image/x-icon"},
    ContentType{".woff2", "font/woff2"},
    ContentType{".txt", "text/plain; charset=utf-8"},
};

// Everything comes from this origin, also the WebSocket; nothing may frame the page (CSP level 3).
constexpr std::string_view kContentSecurityPolicy =
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; font-src 'self'; "
    "connect-src 'self'; manifest-src 'self'; worker-src 'self'; base-uri 'none'; form-action "
    "'none'; frame-ancestors 'none'";

std::string_view TypeOf(const fs::path& file) {
  const std::string extension = file.extension().string();
  const auto* type =
      std::find_if(kContentTypes.begin(), kContentTypes.end(),
                   [&](const ContentType& each) { return each.extension == extension; });
  return type == kContentTypes.end() ? std::string_view() : type->name;
}

bool IsHidden(const fs::path& relative) {
  return std::any_of(relative.begin(), relative.end(),
                     [](const fs::path& part) { return part.string().starts_with('.'); });
}

std::string EtagOf(std::string_view content) {
  constexpr std::size_t kDigestBytes = 12;
  std::array<unsigned char, SHA256_DIGEST_LENGTH> digest{};
  SHA256(reinterpret_cast<const unsigned char*>(content.data()), content.size(), digest.data());
  std::string etag = "\"";
  AppendBase64({reinterpret_cast<const char*>(digest.data()), kDigestBytes}, etag);
  return etag + '"';
}

bool IsKnownTo(const HttpRequest& request, const std::string& etag) {
  const auto known = request.HeaderList("If-None-Match");
  return std::any_of(known.begin(), known.end(), [&](std::string_view each) {
    if (each.starts_with("W/")) {
      each.remove_prefix(2);
    }
    return each == etag || each == "*";
  });
}

HttpResponse PlainResponse(unsigned status, std::string body) {
  HttpResponse response;
  response.status = status;
  response.body = std::move(body);
  return response;
}

}  // namespace

absl::StatusOr<StaticFiles> StaticFiles::Load(const std::string& root) {
  std::error_code error;
  StaticFiles files;
  fs::recursive_directory_iterator entries(root, error);
  for (; !error && entries != fs::recursive_directory_iterator(); entries.increment(error)) {
    const fs::path relative = fs::relative(entries->path(), root, error);
    if (error) {
      break;
    }
    if (IsHidden(relative) || TypeOf(relative).empty() || !entries->is_regular_file(error)) {
      continue;
    }
    if (files.files_.size() == kFilesMax) {
      return InvalidArgument("\"{}\" has more than {} files", root, kFilesMax);
    }
    if (const absl::Status added = files.Add("/" + relative.generic_string(), entries->path());
        !added.ok()) {
      return added;
    }
  }
  if (error) {
    return InvalidArgument("cannot read directory \"{}\": {}", root, error.message());
  }
  const auto index = files.files_.find("/index.html");
  if (index == files.files_.end()) {
    return InvalidArgument("there is no index.html in \"{}\"", root);
  }
  files.files_["/"] = index->second;
  return files;
}

absl::Status StaticFiles::Add(const std::string& path, const std::string& file_name) {
  std::error_code error;
  if (const std::uintmax_t size = fs::file_size(file_name, error); error || size > kFileMax) {
    return InvalidArgument("\"{}\" cannot be read or is larger than 4 MiB", file_name);
  }
  std::ifstream in(file_name, std::ios::binary);
  File file{std::string(std::istreambuf_iterator<char>(in), {}), TypeOf(file_name), ""};
  if (!in) {
    return InvalidArgument("cannot read \"{}\"", file_name);
  }
  file.etag = EtagOf(file.content);
  files_[path] = std::move(file);
  return absl::OkStatus();
}

HttpResponse StaticFiles::Respond(const HttpRequest& request) const {
  const auto found = files_.find(request.path);
  if (found == files_.end()) {
    return PlainResponse(404, "There is no such file.\n");
  }
  if (request.method != "GET" && request.method != "HEAD") {
    HttpResponse refused = PlainResponse(405, "This file can only be read.\n");
    refused.headers.emplace_back("Allow", "GET, HEAD");
    return refused;
  }
  const File& file = found->second;
  const bool known = IsKnownTo(request, file.etag);
  HttpResponse response = PlainResponse(known ? 304 : 200, known ? "" : file.content);
  response.content_type = file.content_type;
  response.headers = {
      {"ETag", file.etag},
      {"Cache-Control", "no-cache"},  // Revalidated each time: page and gateway change together.
      {"Content-Security-Policy", std::string(kContentSecurityPolicy)},
      {"X-Content-Type-Options", "nosniff"},
      {"Referrer-Policy", "no-referrer"},
      {"Permissions-Policy", "microphone=(self), camera=(), geolocation=()"},
      {"Cross-Origin-Opener-Policy", "same-origin"},
      {"Cross-Origin-Resource-Policy", "same-origin"},
  };
  return response;
}

}  // namespace voicebridge::gateway
