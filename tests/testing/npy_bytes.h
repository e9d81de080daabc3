#pragma once

#include <string>

namespace dualdepth::testing {

// An .npy file of format 1.0 with this header: of any text, also a wrong one.
inline std::string npy_bytes(const std::string& header, const std::string& data) {
  std::string file("\x93NUMPY\x01\x00", 8);
  file += static_cast<char>(header.size() & 0xff);
  file += static_cast<char>(header.size() >> 8);
  return file + header + data;
}

// The same with the header of an array: npy_bytes("<f4", "(2, 3)", ...).
inline std::string npy_bytes(const std::string& descr, const std::string& shape,
                             const std::string& data) {
  return npy_bytes(
      "{'descr': '" + descr + "', 'fortran_order': False, 'shape': " + shape + ", }\n", data);
}

}  // namespace dualdepth::testing
