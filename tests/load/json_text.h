// One flat writer of JSON objects with readable numbers: Boost.JSON prints 0.15 as 1.5E-1.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "common/core/time.h"

namespace voicebridge::load {

class JsonText {
 public:
  JsonText& Text(std::string_view name, std::string_view value);
  JsonText& Count(std::string_view name, std::uint64_t value);
  JsonText& Number(std::string_view name, double value);  // Three decimals.
  JsonText& Milliseconds(std::string_view name, Duration value);
  JsonText& Flag(std::string_view name, bool value);
  JsonText& Raw(std::string_view name, std::string_view json);

  std::string Object() const { return "{" + members_ + "}"; }

 private:
  void Name(std::string_view name);
  std::string members_;
};

std::string JsonArray(const std::vector<std::string>& elements);
std::string JsonString(std::string_view text);

}  // namespace voicebridge::load
