#pragma once

#include <span>
#include <string>

namespace dualdepth {

// Base64 with padding (RFC 4648), for bytes inside a text file.
std::string base64(std::span<const unsigned char> bytes);

}  // namespace dualdepth
