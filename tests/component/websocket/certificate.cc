#include "tests/component/websocket/certificate.h"

#include <gtest/gtest.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>

#include <cstdio>
#include <cstdlib>
#include <memory>

namespace voicebridge::test {
namespace {

using Key = std::unique_ptr<EVP_PKEY, decltype(&EVP_PKEY_free)>;
using X509Certificate = std::unique_ptr<X509, decltype(&X509_free)>;
using File = std::unique_ptr<std::FILE, decltype(&std::fclose)>;

std::string NewDirectory() {
  std::string path = testing::TempDir() + "voicebridge-certificate-XXXXXX";
  EXPECT_NE(mkdtemp(path.data()), nullptr);
  return path;
}

X509Certificate SelfSigned(EVP_PKEY* key, const std::string& subject_names) {
  X509Certificate certificate(X509_new(), &X509_free);
  X509_set_version(certificate.get(), 2);
  ASN1_INTEGER_set(X509_get_serialNumber(certificate.get()), 1);
  X509_gmtime_adj(X509_getm_notBefore(certificate.get()), -3600);
  X509_gmtime_adj(X509_getm_notAfter(certificate.get()), 24L * 3600);
  X509_set_pubkey(certificate.get(), key);
  X509_NAME* const name = X509_get_subject_name(certificate.get());
  X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_ASC,
                             reinterpret_cast<const unsigned char*>("voicebridge test"), -1, -1, 0);
  X509_set_issuer_name(certificate.get(), name);
  X509_EXTENSION* const names =
      X509V3_EXT_conf_nid(nullptr, nullptr, NID_subject_alt_name, subject_names.c_str());
  X509_add_ext(certificate.get(), names, -1);
  X509_EXTENSION_free(names);
  X509_sign(certificate.get(), key, EVP_sha256());
  return certificate;
}

}  // namespace

Certificate MakeCertificate(const std::string& subject_names) {
  const std::string directory = NewDirectory();
  Certificate files{directory + "/cert.pem", directory + "/key.pem"};
  const Key key(EVP_EC_gen("P-256"), &EVP_PKEY_free);
  const X509Certificate certificate = SelfSigned(key.get(), subject_names);
  const File cert_file(std::fopen(files.cert_file.c_str(), "w"), &std::fclose);
  const File key_file(std::fopen(files.key_file.c_str(), "w"), &std::fclose);
  EXPECT_EQ(PEM_write_X509(cert_file.get(), certificate.get()), 1);
  EXPECT_EQ(PEM_write_PrivateKey(key_file.get(), key.get(), nullptr, nullptr, 0, nullptr, nullptr),
            1);
  return files;
}

}  // namespace voicebridge::test
