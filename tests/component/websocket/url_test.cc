// URLs and request targets.
#include "common/websocket/url.h"

#include <gtest/gtest.h>

#include "common/http/request_target.h"

namespace voicebridge::test {
namespace {

TEST(UrlParsing, SplitsTheParts) {
  const auto url = ParseUrl("WSS://Api.Example.com:8443/v1/realtime?model=x%20y&b=");
  ASSERT_TRUE(url.ok()) << url.status();
  EXPECT_EQ(url->scheme, "wss");
  EXPECT_EQ(url->host, "api.example.com");
  EXPECT_EQ(url->port, "8443");
  EXPECT_EQ(url->target, "/v1/realtime?model=x%20y&b=");
  EXPECT_TRUE(url->IsSecure());
}

TEST(UrlParsing, FillsInTheDefaults) {
  EXPECT_EQ(ParseUrl("ws://a")->port, "80");
  EXPECT_EQ(ParseUrl("https://a")->port, "443");
  EXPECT_EQ(ParseUrl("ws://a")->target, "/");
  EXPECT_EQ(ParseUrl("ws://a?x=1")->target, "/?x=1");
  EXPECT_EQ(ParseUrl("ws://[::1]:99/")->host, "::1");
  EXPECT_EQ(ParseUrl("ws://[::1]:99/")->port, "99");
}

TEST(UrlParsing, RefusesWhatIsNotOne) {
  for (const char* text : {"",           "ws:/a",           "a:80",
                           "ftp://a",    "ws://",           "ws://:80",
                           "ws://a:",    "ws://a:0",        "ws://a:65536",
                           "ws://a:8x",  "ws://a:080",      "ws://user@a",
                           "ws://u:p@a", "ws://a/#x",       "ws://a b/",
                           "ws://a/b c", "ws://a/%4",       "ws://a/%zz",
                           "ws://[::1",  "ws://[::g]/",     "ws://[::1]x/",
                           "ws://::1/",  "ws://a/\r\nX: y", "ws://a\\b/"}) {
    EXPECT_EQ(ParseUrl(text).status().code(), absl::StatusCode::kInvalidArgument) << text;
  }
}

TEST(UrlParsing, KnowsLoopbackByItsText) {
  for (const char* text : {"ws://127.0.0.1", "ws://127.9.9.9", "ws://[::1]", "ws://LOCALHOST"}) {
    EXPECT_TRUE(ParseUrl(text)->IsLoopback()) << text;
  }
  for (const char* text : {"ws://128.0.0.1", "ws://localhost.evil.com", "ws://127.0.0.1.nip.io"}) {
    EXPECT_FALSE(ParseUrl(text)->IsLoopback()) << text;
  }
}

TEST(UrlParsing, AddsQueryParameters) {
  Url url = *ParseUrl("ws://a/p");
  AddQueryParameter(url, "model", "gpt realtime+1");
  EXPECT_EQ(url.target, "/p?model=gpt%20realtime%2B1");
  AddQueryParameter(url, "b&", "=");
  EXPECT_EQ(url.target, "/p?model=gpt%20realtime%2B1&b%26=%3D");
  Url with_empty_query = *ParseUrl("ws://a/p?");
  AddQueryParameter(with_empty_query, "a", "b");
  EXPECT_EQ(with_empty_query.target, "/p?a=b");
}

TEST(RequestTargetParsing, DecodesPathAndQuery) {
  const auto target = ParseRequestTarget("/a%2Fb+c?x=1&x=2&e=%C3%BC+%2B&flag&=v&&");
  ASSERT_TRUE(target);
  EXPECT_EQ(target->path, "/a/b+c");
  EXPECT_EQ(target->query.at("x"), "2");
  EXPECT_EQ(target->query.at("e"), "\u00fc +");
  EXPECT_EQ(target->query.at("flag"), "");
  EXPECT_EQ(ParseRequestTarget("http://host:1/p?q=1")->path, "/p");
  EXPECT_EQ(ParseRequestTarget("HTTP://host")->path, "/");
  const auto only_query = ParseRequestTarget("https://host?x=/y");
  ASSERT_TRUE(only_query);
  EXPECT_EQ(only_query->path, "/");
  EXPECT_EQ(only_query->query.at("x"), "/y");
}

TEST(RequestTargetParsing, RefusesBrokenEscapesAndOtherForms) {
  for (const char* text : {"", "*", "host:80", "/%", "/%4", "/%zz", "/%00", "/?a=%", "/?%g1=x",
                           "http:///p", "http://?q", "ftp://host/"}) {
    EXPECT_FALSE(ParseRequestTarget(text)) << text;
  }
}

}  // namespace
}  // namespace voicebridge::test
