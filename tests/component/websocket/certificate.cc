#include "tests/component/websocket/certificate.h"

#include <gtest/gtest.h>
#include <openssl/bio.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>

#include <cstdlib>
#include <fstream>
#include <memory>

namespace voicebridge::test {
namespace {

using Key = std::unique_ptr<EVP_PKEY, decltype(&EVP_PKEY_free)>;
using X509Certificate = std::unique_ptr<X509, decltype(&X509_free)>;
using Bio = std::unique_ptr<BIO, decltype(&BIO_free)>;

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
  Certificate files{directory + "/cert.pem", directory + "/key.pem", {}};
  const Key key(EVP_EC_gen("P-256"), &EVP_PKEY_free);
  const X509Certificate certificate = SelfSigned(key.get(), subject_names);
  const auto write = [](const auto& print) {
    const Bio bio(BIO_new(BIO_s_mem()), &BIO_free);
    EXPECT_EQ(print(bio.get()), 1);
    char* text = nullptr;
    const long length = BIO_get_mem_data(bio.get(), &text);
    return std::string(text, static_cast<std::size_t>(length));
  };
  files.pair.chain = write([&](BIO* out) { return PEM_write_bio_X509(out, certificate.get()); });
  files.pair.key = Secret(write([&](BIO* out) {
    return PEM_write_bio_PrivateKey(out, key.get(), nullptr, nullptr, 0, nullptr, nullptr);
  }));
  std::ofstream(files.cert_file) << files.pair.chain;
  std::ofstream(files.key_file) << files.pair.key.Reveal();
  return files;
}

}  // namespace voicebridge::test
