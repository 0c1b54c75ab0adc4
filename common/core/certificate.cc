#include "common/core/certificate.h"

#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/x509.h>

#include <ctime>
#include <memory>
#include <string_view>
#include <vector>

#include "common/core/status.h"

namespace voicebridge {
namespace {

using Bio = std::unique_ptr<BIO, decltype(&BIO_free)>;
using Certificate = std::unique_ptr<X509, decltype(&X509_free)>;
using Key = std::unique_ptr<EVP_PKEY, decltype(&EVP_PKEY_free)>;

Bio Open(std::string_view text) {
  return {BIO_new_mem_buf(text.data(), static_cast<int>(text.size())), &BIO_free};
}

// Without it OpenSSL would ask whoever sits at the terminal.
int NoPassword(char*, int, int, void*) { return 0; }

// All of them, or none when one cannot be read. OpenSSL leaves no error behind.
std::vector<Certificate> ReadCertificates(std::string_view text) {
  const Bio bio = Open(text);
  std::vector<Certificate> certificates;
  while (X509* one = PEM_read_bio_X509(bio.get(), nullptr, &NoPassword, nullptr)) {
    certificates.emplace_back(one, &X509_free);
  }
  const bool at_the_end = ERR_GET_REASON(ERR_peek_last_error()) == PEM_R_NO_START_LINE;
  ERR_clear_error();
  if (!at_the_end) {
    certificates.clear();
  }
  return certificates;
}

std::string SubjectOf(const X509& certificate) {
  const Bio bio(BIO_new(BIO_s_mem()), &BIO_free);
  X509_NAME_print_ex(bio.get(), X509_get_subject_name(&certificate), 0, XN_FLAG_RFC2253);
  char* text = nullptr;
  const long length = BIO_get_mem_data(bio.get(), &text);
  return {text, static_cast<std::size_t>(length)};
}

std::int64_t ExpiryOf(const X509& certificate) {
  std::tm time{};
  ASN1_TIME_to_tm(X509_get0_notAfter(&certificate), &time);
  return static_cast<std::int64_t>(timegm(&time));
}

}  // namespace

absl::StatusOr<CertificateFacts> ReadChain(const std::string& chain) {
  const std::vector<Certificate> certificates = ReadCertificates(chain);
  if (certificates.empty()) {
    return InvalidArgument("expected a certificate in PEM, and those of its issuers behind it");
  }
  const X509& own = *certificates.front();
  return CertificateFacts{SubjectOf(own), ExpiryOf(own)};
}

absl::Status CheckKey(const std::string& chain, const Secret& key) {
  const Bio bio = Open(key.Reveal());
  const Key parsed(PEM_read_bio_PrivateKey(bio.get(), nullptr, &NoPassword, nullptr),
                   &EVP_PKEY_free);
  ERR_clear_error();
  if (parsed == nullptr) {
    return InvalidArgument("expected a private key in PEM that is not encrypted");
  }
  const std::vector<Certificate> certificates = ReadCertificates(chain);
  const bool fits = !certificates.empty() &&
                    X509_check_private_key(certificates.front().get(), parsed.get()) == 1;
  ERR_clear_error();
  return fits ? absl::OkStatus() : InvalidArgument("expected the private key of the certificate");
}

absl::Status CheckAuthorities(const std::string& authorities) {
  return ReadCertificates(authorities).empty()
             ? InvalidArgument("expected the certificates of authorities in PEM")
             : absl::OkStatus();
}

}  // namespace voicebridge
