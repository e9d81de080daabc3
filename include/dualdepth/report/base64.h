#pragma once

#include <string>
#include <string_view>

namespace dualdepth {

// Base64 with padding (RFC 4648), for bytes inside a text file.
std::string base64(std::string_view bytes);

}  // namespace dualdepth
