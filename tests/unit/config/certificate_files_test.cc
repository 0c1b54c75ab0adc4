#include "common/config/certificate_files.h"

#include <gmock/gmock.h>

#include <ctime>
#include <string>

#include "common/config/peer_flags.h"
#include "tests/component/websocket/certificate.h"

namespace voicebridge {
namespace {

using test::Certificate;
using test::MakeCertificate;
using testing::AllOf;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;

// What there is to complain about.
std::string Problems(const PeerPaths& paths) {
  ConfigErrors errors;
  const auto loaded = LoadPeerIdentity(paths, errors);
  EXPECT_FALSE(loaded.has_value() && !errors.empty());
  return errors.ToString();
}

class CertificateFiles : public testing::Test {
 protected:
  const Certificate own = MakeCertificate("IP:127.0.0.1");
  const Certificate other = MakeCertificate("IP:127.0.0.1");
};

TEST_F(CertificateFiles, AreLoadedTogether) {
  ConfigErrors errors;
  const auto loaded = LoadPeerIdentity({own.cert_file, own.key_file, other.cert_file}, errors);
  ASSERT_TRUE(loaded.has_value()) << errors.ToString();
  EXPECT_TRUE(errors.empty());
  EXPECT_EQ(loaded->value.own.chain, own.pair.chain);
  EXPECT_EQ(loaded->value.own.key.Reveal(), own.pair.key.Reveal());
  EXPECT_EQ(loaded->value.authorities, other.pair.chain);
  EXPECT_EQ(loaded->value.own.facts.subject, "CN=voicebridge test");
  EXPECT_NEAR(static_cast<double>(loaded->value.own.facts.expires_at),
              static_cast<double>(std::time(nullptr) + 24 * 3600), 60);
  EXPECT_EQ(loaded->files.size(), 3U);
}

TEST_F(CertificateFiles, MayBeNone) {
  ConfigErrors errors;
  EXPECT_FALSE(LoadPeerIdentity({}, errors).has_value());
  EXPECT_TRUE(errors.empty());
}

TEST_F(CertificateFiles, ComeTogetherOrNotAtAll) {
  EXPECT_THAT(Problems({own.cert_file, own.key_file, ""}), HasSubstr("--peer_ca: missing"));
  EXPECT_THAT(Problems({own.cert_file, "", ""}),
              AllOf(HasSubstr("--peer_key: missing"), HasSubstr("--peer_ca: missing")));
  EXPECT_THAT(Problems({"", "", own.cert_file}),
              AllOf(HasSubstr("--peer_cert: missing"), HasSubstr("--peer_key: missing")));
}

TEST_F(CertificateFiles, ThatCannotBeReadAreNamed) {
  EXPECT_THAT(Problems({"/nonexistent/a.pem", own.key_file, own.cert_file}),
              HasSubstr("--peer_cert: cannot read \"/nonexistent/a.pem\""));
  EXPECT_THAT(Problems({own.cert_file, "/tmp", own.cert_file}),
              HasSubstr("--peer_key: cannot read \"/tmp\""))
      << "a directory";
  EXPECT_THAT(Problems({own.cert_file, "/dev/zero", own.cert_file}),
              HasSubstr("--peer_key: \"/dev/zero\": expected at most"));
}

TEST_F(CertificateFiles, ThatAreSomethingElseAreNamedAndNotQuoted) {
  const std::string secret = own.pair.key.Reveal().substr(40, 20);
  EXPECT_THAT(Problems({own.key_file, own.key_file, own.cert_file}),
              AllOf(HasSubstr("--peer_cert: \"" + own.key_file + "\": expected a certificate"),
                    Not(HasSubstr(secret))));
  EXPECT_THAT(Problems({own.cert_file, own.cert_file, own.cert_file}),
              HasSubstr("--peer_key: \"" + own.cert_file + "\": expected a private key"));
  EXPECT_THAT(Problems({own.cert_file, own.key_file, own.key_file}),
              HasSubstr("--peer_ca: \"" + own.key_file + "\": expected the certificates of"));
}

TEST_F(CertificateFiles, TheKeyOfAnotherCertificateIsRefused) {
  EXPECT_THAT(Problems({own.cert_file, other.key_file, own.cert_file}),
              HasSubstr("--peer_key: \"" + other.key_file +
                        "\": expected the private key of the certificate"));
}

TEST_F(CertificateFiles, AChainThatIsCutOffIsRefused) {
  const std::string cut = own.pair.chain + own.pair.chain.substr(0, own.pair.chain.size() / 2);
  EXPECT_FALSE(ReadChain(cut).ok());
  EXPECT_TRUE(ReadChain(own.pair.chain + other.pair.chain).ok());
}

TEST(InternalListener, LeavesLoopbackOnlyUnderProtection) {
  const auto problem = [](const std::string& address, bool tls, bool insecure) {
    ConfigErrors errors;
    CheckInternalListener("admin_listen", address, tls, insecure, errors);
    return errors.ToString();
  };
  EXPECT_THAT(problem("127.0.0.1:0", false, false), IsEmpty());
  EXPECT_THAT(problem("0.0.0.0:9000", true, false), IsEmpty());
  EXPECT_THAT(problem("0.0.0.0:9000", false, true), IsEmpty());
  EXPECT_THAT(
      problem("0.0.0.0:9000", false, false),
      AllOf(HasSubstr("--admin_listen: \"0.0.0.0:9000\" is not loopback"),
            HasSubstr("--peer_cert, --peer_key and --peer_ca"), HasSubstr("--insecure_no_auth")));
  EXPECT_THAT(problem("here", true, true), HasSubstr("expected HOST:PORT"));
}

}  // namespace
}  // namespace voicebridge
