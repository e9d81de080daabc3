#pragma once

#include <torch/types.h>

#include <cstdint>

namespace dualdepth {

// Returns the pixels of a map that lie where pixels of a `factor` times larger picture do:
//
//   (n * H + y) * W + x   ->   (n * H / factor + y / factor) * W / factor + x / factor
//
// rounded down. pixels: int64 [P] of the picture, whose width W is `width`; W and its height H are
// multiples of `factor`.
inline torch::Tensor map_pixels(const torch::Tensor& pixels, int64_t width, int64_t factor) {
  if (factor == 1) return pixels;
  const auto line = pixels.floor_divide(width).floor_divide(factor);  // H is a multiple
  return line * (width / factor) + pixels.remainder(width).floor_divide(factor);
}

}  // namespace dualdepth
