#include "tests/simulator/digest.h"

#include <absl/strings/escaping.h>
#include <openssl/evp.h>

#include <array>

namespace voicebridge::simulator {

void Digest::Free::operator()(evp_md_ctx_st* context) const { EVP_MD_CTX_free(context); }

Digest::Digest() : context_(EVP_MD_CTX_new()) {
  EVP_DigestInit_ex(context_.get(), EVP_sha256(), nullptr);
}

void Digest::Append(std::string_view bytes) {
  EVP_DigestUpdate(context_.get(), bytes.data(), bytes.size());
}

std::string Digest::Hex() const {
  Digest copy;
  EVP_MD_CTX_copy_ex(copy.context_.get(), context_.get());
  std::array<unsigned char, EVP_MAX_MD_SIZE> hash{};
  unsigned length = 0;
  EVP_DigestFinal_ex(copy.context_.get(), hash.data(), &length);
  return absl::BytesToHexString(
      absl::string_view(reinterpret_cast<const char*>(hash.data()), length));
}

std::string Digest::HexOf(std::string_view bytes) {
  Digest digest;
  digest.Append(bytes);
  return digest.Hex();
}

}  // namespace voicebridge::simulator
