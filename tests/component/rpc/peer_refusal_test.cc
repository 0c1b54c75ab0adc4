#include "common/rpc/peer_refusal.h"

#include <gtest/gtest.h>

#include <string>

namespace voicebridge {
namespace {

constexpr std::string_view kServer = "./src/core/ext/transport/chttp2/server/chttp2_server.cc";
constexpr std::string_view kClient = "./src/core/ext/transport/chttp2/client/chttp2_connector.cc";

std::string Failed(const std::string& words) {
  return "Handshaking failed: UNKNOWN: Ssl handshake failed: SSL_ERROR_SSL: "
         "error:0A0000C7:SSL routines::" +
         words + " {created_time:\"2026-11-29T16:29:44\", tsi_code:10}";
}

TEST(PeerRefusal, HasItsReasonAndOpenSslsWords) {
  const auto reason = [](const std::string& words) {
    const auto refusal = RefusalIn({kServer, false, Failed(words)});
    EXPECT_TRUE(refusal && refusal->what == words) << words;
    return refusal ? refusal->reason : PeerRefusalReason::kOther;
  };
  EXPECT_EQ(reason("peer did not return a certificate"), PeerRefusalReason::kNoCertificate);
  EXPECT_EQ(reason("certificate verify failed"), PeerRefusalReason::kBadCertificate);
  EXPECT_EQ(reason("wrong version number"), PeerRefusalReason::kNotTls);
  EXPECT_EQ(reason("http request"), PeerRefusalReason::kNotTls);
  EXPECT_EQ(reason("tlsv1 alert unknown ca"), PeerRefusalReason::kOther);
}

TEST(PeerRefusal, IsNoneWhereWeAreTheClientOrNobodyWasRefused) {
  EXPECT_FALSE(RefusalIn({kClient, false, Failed("certificate verify failed")}));
  EXPECT_FALSE(RefusalIn({kServer, false, "Handshaking failed: UNKNOWN: Handshake timed out"}));
  EXPECT_FALSE(RefusalIn({kServer, false, "Handshaking failed: UNAVAILABLE: Socket closed"}));
  EXPECT_FALSE(RefusalIn({kServer, true, "No match: SSL_ERROR_SSL"}));
}

}  // namespace
}  // namespace voicebridge
