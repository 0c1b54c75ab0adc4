// Identifiers in the shape of the service's, from a seed.
#pragma once

#include <cstdint>
#include <random>
#include <string>
#include <string_view>

namespace voicebridge::simulator {

// Owned by one session. The shell seeds it from the system's random source, tests with a constant.
class IdSource {
 public:
  explicit IdSource(std::uint64_t seed) : random_(seed) {}

  std::string Next(std::string_view prefix) {
    static constexpr std::string_view kAlphabet =
        "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
    static constexpr int kCharacters = 21;
    static constexpr int kCharactersPerNumber = 10;  // 62^10 is below 2^64.
    std::string id(prefix);
    id += '_';
    std::uint64_t number = 0;
    for (int index = 0; index < kCharacters; ++index) {
      if (index % kCharactersPerNumber == 0) {
        number = random_();
      }
      id += kAlphabet[number % kAlphabet.size()];
      number /= kAlphabet.size();
    }
    return id;
  }

 private:
  std::mt19937_64 random_;
};

}  // namespace voicebridge::simulator
