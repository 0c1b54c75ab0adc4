// An address from text that is one.
#pragma once

#include <gtest/gtest.h>

#include <string_view>

#include "gateway/client/ip_address.h"

namespace voicebridge::gateway {

inline IpAddress Ip(std::string_view text) {
  const auto address = IpAddress::Parse(text);
  EXPECT_TRUE(address.has_value()) << text;
  return address.value_or(IpAddress());
}

}  // namespace voicebridge::gateway
