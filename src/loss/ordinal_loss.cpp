#include "dualdepth/loss/ordinal_loss.h"

namespace dualdepth {

torch::Tensor ordinal_loss(const torch::Tensor& logits, const torch::Tensor& level) {
  const int64_t last = logits.size(1) - 1;
  const auto log_p = logits.log_softmax(1);
  const auto log_up_to = log_p.logcumsumexp(1).narrow(1, 0, last);
  const auto log_above = log_p.flip(1).logcumsumexp(1).flip(1).narrow(1, 1, last);
  const auto is_above = torch::arange(last, level.options()) < level.unsqueeze(1);
  return -torch::where(is_above, log_above, log_up_to).sum(1);
}

}  // namespace dualdepth
