#include "dualdepth/model/upsampled_filters.h"

#include <torch/types.h>

namespace dualdepth {

torch::Tensor upsampled_filters(const torch::Tensor& weight) {
  TORCH_CHECK(weight.dim() == 4 && weight.size(2) == 3 && weight.size(3) == 3,
              "upsampled_filters: 3x3 filters");
  const auto sums = torch::tensor({0.0, 0.0, 1.0,  //
                                   0.0, 1.0, 1.0,  //
                                   1.0, 1.0, 0.0,  //
                                   1.0, 0.0, 0.0},
                                  weight.options())
                        .view({4, 3});
  return torch::einsum("ya,xb,oiab->ioyx", {sums, sums, weight}).contiguous();
}

}  // namespace dualdepth
