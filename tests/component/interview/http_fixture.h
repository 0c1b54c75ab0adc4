// An HTTP peer that answers as a test says.
#pragma once

#include <gtest/gtest.h>

#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "common/http/http_server.h"
#include "common/websocket/url.h"
#include "tests/component/async/real_time_fixture.h"

namespace voicebridge::worker::test {

// The pieces of a body, one after another; then it ends, or hangs until the task is cancelled.
class Pieces final : public HttpBodySource {
 public:
  Pieces(std::vector<std::string> pieces, bool hangs) : pieces_(std::move(pieces)), hangs_(hangs) {}

  Awaitable<std::string> Next() override {
    if (next_ < pieces_.size()) {
      co_return pieces_[next_++];
    }
    if (hangs_) {
      SystemClock clock;
      co_await clock.SleepUntil(Deadline::Never());
    }
    co_return "";
  }

 private:
  std::vector<std::string> pieces_;
  const bool hangs_;
  std::size_t next_ = 0;
};

class ScriptedService final : public HttpService {
 public:
  std::function<HttpResponse(const HttpRequest&)> respond;
  Duration delay{};  // Before each answer.
  std::vector<HttpRequest> requests;

  Awaitable<HttpResponse> Respond(const HttpRequest& request) override {
    requests.push_back(request);
    if (delay > Duration::zero()) {
      SystemClock clock;
      const Deadline late = Deadline::After(clock.Now(), delay);
      co_await clock.SleepUntil(late);
    }
    co_return respond(request);
  }
  UpgradeDecision DecideUpgrade(const HttpRequest&) override { return HttpResponse(); }
  Awaitable<void> Converse(HttpRequest, AcceptUpgrade, std::unique_ptr<Connection>) override {
    co_return;
  }
};

class HttpTest : public voicebridge::test::RealTimeTest {
 protected:
  HttpTest() {
    HttpServerOptions options;
    options.listen = "127.0.0.1:0";
    options.body_bytes_max = 1U << 20U;
    std::vector<HttpServer::Shard> shards = {{io.get_executor(), &tasks}};
    server = std::make_unique<HttpServer>(options, std::move(shards), service);
    address = server->Start().value_or("");
    EXPECT_NE(address, "");
  }

  void TearDown() override {
    net::post(io, [this] { server->StopAccepting(); });
    EndTasks();
  }

  std::string UrlText(std::string_view path) const {
    return "http://" + address + std::string(path);
  }

  ScriptedService service;
  std::unique_ptr<HttpServer> server;
  std::string address;
};

}  // namespace voicebridge::worker::test
