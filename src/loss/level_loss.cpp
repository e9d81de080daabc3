#include "dualdepth/loss/level_loss.h"

#include <torch/csrc/autograd/custom_function.h>

#include <algorithm>
#include <cmath>

#include "row_blocks.h"

namespace dualdepth {
namespace {

class LevelStatisticsFunction : public torch::autograd::Function<LevelStatisticsFunction> {
 public:
  static torch::autograd::variable_list forward(torch::autograd::AutogradContext* context,
                                                const torch::Tensor& given_logits,
                                                const torch::Tensor& level,
                                                const torch::Tensor& weight,
                                                const torch::Tensor& values) {
    const auto logits = given_logits.detach();
    const auto softmax = torch::empty_like(logits);
    const auto cross_entropy = torch::empty({logits.size(0)}, logits.options());
    const auto expected = torch::empty_like(cross_entropy);
    const auto logsumexp = torch::empty_like(cross_entropy);
    for_each_row_block(logits, [&](int64_t first, int64_t count) {
      const auto block = [&](const torch::Tensor& all) { return all.narrow(0, first, count); };
      auto p = block(softmax);
      at::_log_softmax_out(p, block(logits), 1, /*half_to_float=*/false);
      block(logsumexp).copy_(block(logits).select(1, 0) - p.select(1, 0));
      block(cross_entropy).copy_(-(p.gather(1, block(level)) * block(weight)).sum(1));
      p.exp_();
      auto mean = block(expected);
      at::mv_out(mean, p, values);
    });
    context->save_for_backward({softmax, expected, level, weight, values});
    return {cross_entropy, expected, logsumexp};
  }

  static torch::autograd::variable_list backward(torch::autograd::AutogradContext* context,
                                                 torch::autograd::variable_list gradients) {
    const auto saved = context->get_saved_variables();
    const auto &softmax = saved[0], &expected = saved[1], &level = saved[2], &weight = saved[3],
               &values = saved[4];
    const auto &of_cross_entropy = gradients[0], &of_expected = gradients[1],
               &of_logsumexp = gradients[2];
    const auto constant = of_cross_entropy + of_logsumexp - of_expected * expected;
    for_each_row_block(softmax, [&](int64_t first, int64_t count) {
      const auto block = [&](const torch::Tensor& all) { return all.narrow(0, first, count); };
      const auto factor =
          torch::addcmul(block(constant).unsqueeze(1), block(of_expected).unsqueeze(1), values);
      block(softmax).mul_(factor).scatter_add_(
          1, block(level), block(weight) * -block(of_cross_entropy).unsqueeze(1));
    });
    return {softmax, {}, {}, {}};
  }
};

}  // namespace

LevelTargets one_hot_targets(const CodecTargets& targets) {
  return {targets.level.unsqueeze(1), torch::ones_like(targets.position).unsqueeze(1)};
}

LevelTargets soft_label_targets(const CodecTargets& targets, const DepthCodec& codec,
                                double sigma) {
  const int64_t levels = codec.options().n_integer_levels;
  const auto reach = static_cast<int64_t>(std::ceil(4 * sigma));
  const int64_t width = std::min(levels, 2 * reach + 1);
  const auto first = (targets.level - reach).clamp(0, levels - width).unsqueeze(1);
  const auto level = first + torch::arange(width, first.options());
  const auto centre = codec.level_positions().to(targets.position.options()).index({level});
  const auto distance = (centre - targets.position.unsqueeze(1)) / sigma;
  return {level, (distance.square() * -0.5).softmax(1)};
}

LevelStatistics level_statistics(const torch::Tensor& logits, const LevelTargets& targets,
                                 const torch::Tensor& values) {
  const auto outputs =
      LevelStatisticsFunction::apply(logits, targets.level, targets.weight, values);
  return {outputs[0], outputs[1], outputs[2]};
}

}  // namespace dualdepth
