#pragma once

#include <torch/types.h>

#include <string>
#include <vector>

namespace dualdepth {

// What the network trains on. Ground truth is kept as a list of pixels, because at KITTI's density
// (5 %) a list is smaller than a map and is what the integer head needs.
struct Batch {
  torch::Tensor image;   // float [N, 3, H, W] RGB in 0..1, channels-last
  torch::Tensor pixels;  // int64 [P]: (n * H + y) * W + x of each pixel with depth, ascending
  torch::Tensor depths;  // float [P], metres
  std::vector<std::string> ids;

  int64_t size() const { return image.size(0); }
};

}  // namespace dualdepth
