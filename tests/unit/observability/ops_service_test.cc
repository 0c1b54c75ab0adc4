#include "common/observability/ops_service.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <prometheus/counter.h>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/use_future.hpp>
#include <memory>
#include <string>
#include <variant>

namespace voicebridge {
namespace {

using testing::HasSubstr;

class Ops : public testing::Test {
 protected:
  HttpResponse Ask(const std::string& path, const std::string& method = "GET") {
    HttpRequest request;
    request.method = method;
    request.path = path;
    net::io_context io;
    auto response = net::co_spawn(io, service_.Respond(request), net::use_future);
    io.run();
    return response.get();
  }

  std::shared_ptr<prometheus::Registry> registry_ = std::make_shared<prometheus::Registry>();
  OpsService::State state_;
  OpsService service_{registry_, [this] { return state_; }};
};

TEST_F(Ops, IsHealthyForAsLongAsItAnswers) {
  state_ = {.ready = false, .detail = "draining"};
  EXPECT_EQ(Ask("/healthz").status, 200U);
  EXPECT_EQ(Ask("/healthz").body, "ok");
}

TEST_F(Ops, ReadinessFollowsTheProcessAndSaysWhyNot) {
  EXPECT_EQ(Ask("/readyz").status, 200U);
  EXPECT_EQ(Ask("/readyz").body, "ready");
  state_ = {.ready = false, .detail = "no worker is serving"};
  EXPECT_EQ(Ask("/readyz").status, 503U);
  EXPECT_EQ(Ask("/readyz").body, "no worker is serving");
  state_ = {.ready = true, .detail = "the store is away"};
  EXPECT_EQ(Ask("/readyz").status, 200U);
  EXPECT_EQ(Ask("/readyz").body, "ready; the store is away");
}

TEST_F(Ops, ServesTheRegistryAsPrometheusText) {
  auto& family =
      prometheus::BuildCounter().Name("gateway_frames_total").Help("F.").Register(*registry_);
  family.Add({{"direction", "up"}}).Increment(3);
  const HttpResponse response = Ask("/metrics");
  EXPECT_EQ(response.status, 200U);
  EXPECT_EQ(response.content_type, "text/plain; version=0.0.4; charset=utf-8");
  EXPECT_THAT(response.body, HasSubstr("# TYPE gateway_frames_total counter"));
  EXPECT_THAT(response.body, HasSubstr("gateway_frames_total{direction=\"up\"} 3"));
}

TEST_F(Ops, RefusesEverythingElse) {
  EXPECT_EQ(Ask("/").status, 404U);
  EXPECT_EQ(Ask("/healthz/").status, 404U);
  EXPECT_EQ(Ask("/metrics", "POST").status, 405U);
  const UpgradeDecision decision = service_.DecideUpgrade(HttpRequest{});
  ASSERT_TRUE(std::holds_alternative<HttpResponse>(decision));
  EXPECT_EQ(std::get<HttpResponse>(decision).status, 404U);
}

}  // namespace
}  // namespace voicebridge
