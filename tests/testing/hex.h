#pragma once

#include <stdexcept>
#include <string>
#include <string_view>

namespace dualdepth::testing {

// The bytes that hexadecimal digits stand for, so that a small file made by another program can
// stand in a test.
inline std::string bytes_from_hex(std::string_view digits) {
  const auto value = [](char digit) -> unsigned {
    constexpr std::string_view kDigits = "0123456789abcdef";
    const size_t position = kDigits.find(digit);
    if (position == std::string_view::npos) throw std::invalid_argument("not a hex digit");
    return static_cast<unsigned>(position);
  };
  std::string bytes;
  for (size_t i = 0; i + 1 < digits.size(); i += 2) {
    bytes.push_back(static_cast<char>(value(digits[i]) << 4 | value(digits[i + 1])));
  }
  return bytes;
}

}  // namespace dualdepth::testing
