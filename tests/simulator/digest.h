// SHA-256 of a growing sequence of bytes.
#pragma once

#include <cstddef>
#include <memory>
#include <string>
#include <string_view>

struct evp_md_ctx_st;

namespace voicebridge::simulator {

// Can be asked at any point and goes on afterwards.
class Digest {
 public:
  Digest();

  void Append(std::string_view bytes);
  std::string Hex() const;

  static std::string HexOf(std::string_view bytes);

 private:
  struct Free {
    void operator()(evp_md_ctx_st* context) const;
  };
  std::unique_ptr<evp_md_ctx_st, Free> context_;
};

}  // namespace voicebridge::simulator
