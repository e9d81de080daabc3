#pragma once

#include <charconv>
#include <string>

#include "dualdepth/base/error.h"
#include "dualdepth/graph/graph.h"

namespace dualdepth {

// "1x3x192x640". Throws Error for anything else.
inline graph::Shape parse_shape(const std::string& text) {
  graph::Shape shape(4);
  const char* at = text.data();
  const char* end = text.data() + text.size();
  for (size_t i = 0; i < shape.size(); ++i) {
    const auto [next, error] = std::from_chars(at, end, shape[i]);
    const bool separated = i + 1 == shape.size() ? next == end : next != end && *next == 'x';
    if (error != std::errc() || !separated) {
      throw Error({.subject = "--shape",
                   .expected = "Nx3xHxW, such as 1x3x192x640",
                   .got = text,
                   .fix = ""});
    }
    at = next + 1;
  }
  return shape;
}

}  // namespace dualdepth
