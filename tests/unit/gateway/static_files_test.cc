#include "gateway/http/static_files.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <string>
#include <string_view>

namespace voicebridge::gateway {
namespace {

using testing::HasSubstr;

namespace fs = std::filesystem;

class StaticFilesTest : public testing::Test {
 protected:
  StaticFilesTest() {
    root_ = (fs::path(testing::TempDir()) / "voicebridge-page-XXXXXX").string();
    EXPECT_NE(::mkdtemp(root_.data()), nullptr);
    Write("index.html", "<!doctype html>");
  }
  ~StaticFilesTest() override { fs::remove_all(root_); }

  void Write(const std::string& name, std::string_view content) {
    const fs::path file = fs::path(root_) / name;
    fs::create_directories(file.parent_path());
    std::ofstream(file) << content;
  }

  HttpResponse Get(const std::string& path, const std::string& etag = "") {
    const auto files = StaticFiles::Load(root_);
    EXPECT_TRUE(files.ok()) << files.status();
    HttpRequest request;
    request.method = "GET";
    request.path = path;
    request.headers.emplace_back("if-none-match", etag);
    return files->Respond(request);
  }

  static std::string HeaderOf(const HttpResponse& response, std::string_view name) {
    const auto found = std::find_if(response.headers.begin(), response.headers.end(),
                                    [name](const auto& header) { return header.first == name; });
    return found == response.headers.end() ? "" : found->second;
  }

  std::string root_;
};

TEST_F(StaticFilesTest, ServesThePageAtTheRoot) {
  const HttpResponse page = Get("/");
  EXPECT_EQ(page.status, 200U);
  EXPECT_EQ(page.body, "<!doctype html>");
  EXPECT_EQ(page.content_type, "text/html; charset=utf-8");
  EXPECT_EQ(Get("/index.html").body, page.body);
}

TEST_F(StaticFilesTest, ServesModulesOfSubfoldersWithTheirType) {
  Write("audio/capture-worklet.js", "export {};");
  const HttpResponse module = Get("/audio/capture-worklet.js");
  EXPECT_EQ(module.body, "export {};");
  EXPECT_EQ(module.content_type, "text/javascript; charset=utf-8");
}

TEST_F(StaticFilesTest, AllowsThePageNothingButItsOwnOrigin) {
  const HttpResponse page = Get("/");
  EXPECT_THAT(HeaderOf(page, "Content-Security-Policy"), HasSubstr("default-src 'none'"));
  EXPECT_THAT(HeaderOf(page, "Content-Security-Policy"), HasSubstr("frame-ancestors 'none'"));
  EXPECT_EQ(HeaderOf(page, "X-Content-Type-Options"), "nosniff");
  EXPECT_EQ(HeaderOf(page, "Referrer-Policy"), "no-referrer");
  EXPECT_THAT(HeaderOf(page, "Permissions-Policy"), HasSubstr("microphone=(self)"));
}

TEST_F(StaticFilesTest, AnswersNotModifiedToWhoHasTheFile) {
  const std::string etag = HeaderOf(Get("/"), "ETag");
  EXPECT_EQ(Get("/", etag).status, 304U);
  EXPECT_EQ(Get("/", "W/" + etag).status, 304U);
  EXPECT_EQ(Get("/", "\"another\"").status, 200U);
  Write("index.html", "changed");
  EXPECT_EQ(Get("/", etag).body, "changed");
}

TEST_F(StaticFilesTest, LeavesOutHiddenFilesAndUnknownTypes) {
  Write(".env.json", "{}");
  Write(".git/config.txt", "x");
  Write("notes.secret", "x");
  for (const char* path : {"/.env.json", "/.git/config.txt", "/notes.secret", "/../etc/passwd"}) {
    EXPECT_EQ(Get(path).status, 404U) << path;
  }
}

TEST_F(StaticFilesTest, RefusesOtherMethods) {
  const auto files = StaticFiles::Load(root_);
  ASSERT_TRUE(files.ok());
  HttpRequest request;
  request.method = "POST";
  request.path = "/";
  EXPECT_EQ(files->Respond(request).status, 405U);
}

TEST_F(StaticFilesTest, RefusesADirectoryWithoutAPage) {
  EXPECT_THAT(std::string(StaticFiles::Load(root_ + "/none").status().message()),
              HasSubstr("cannot read directory"));
  fs::remove(fs::path(root_) / "index.html");
  EXPECT_THAT(std::string(StaticFiles::Load(root_).status().message()), HasSubstr("index.html"));
}

}  // namespace
}  // namespace voicebridge::gateway
