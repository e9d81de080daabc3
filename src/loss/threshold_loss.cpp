#include "dualdepth/loss/threshold_loss.h"

#include <torch/csrc/autograd/custom_function.h>

#include "dualdepth/codec/level_axis.h"
#include "dualdepth/codec/threshold_codec.h"
#include "row_blocks.h"

namespace dualdepth {
namespace {

class ThresholdStatisticsFunction : public torch::autograd::Function<ThresholdStatisticsFunction> {
 public:
  static torch::autograd::variable_list forward(torch::autograd::AutogradContext* context,
                                                const torch::Tensor& given_logits,
                                                const torch::Tensor& position,
                                                const torch::Tensor& weights) {
    const auto logits = given_logits.detach();
    const int64_t levels = logits.size(1);
    const auto share = weights / static_cast<double>(levels);
    const auto sigmoid = torch::empty_like(logits);
    const auto cross_entropy = torch::empty({logits.size(0)}, logits.options());
    const auto sum = torch::empty_like(cross_entropy);
    for_each_row_block(logits, [&](int64_t first, int64_t count) {
      const auto block = [&](const torch::Tensor& all) { return all.narrow(0, first, count); };
      const auto z = block(logits);
      auto s = block(sigmoid);
      at::sigmoid_out(s, z);
      const auto target = threshold_targets(block(position), levels);
      block(cross_entropy).copy_(at::softplus(z).addcmul_(target, z, -1).mv(share));
      block(sum).copy_(s.sum(1));
    });
    context->save_for_backward({sigmoid, position, share});
    return {cross_entropy, sum};
  }

  static torch::autograd::variable_list backward(torch::autograd::AutogradContext* context,
                                                 torch::autograd::variable_list gradients) {
    const auto saved = context->get_saved_variables();
    const auto &sigmoid = saved[0], &position = saved[1], &share = saved[2];
    const auto &of_cross_entropy = gradients[0], &of_sum = gradients[1];
    for_each_row_block(sigmoid, [&](int64_t first, int64_t count) {
      const auto block = [&](const torch::Tensor& all) { return all.narrow(0, first, count); };
      auto s = block(sigmoid);
      const auto slope = (s - s.square()).mul_(block(of_sum).unsqueeze(1));
      s.sub_(threshold_targets(block(position), s.size(1)))
          .mul_(share)
          .mul_(block(of_cross_entropy).unsqueeze(1))
          .add_(slope);
    });
    return {sigmoid, {}, {}};
  }
};

}  // namespace

torch::Tensor threshold_weights(const CodecOptions& codec, const LossOptions& options) {
  const auto levels = codec.n_integer_levels;
  if (options.threshold_weighting == ThresholdWeighting::kUniform) return torch::ones({levels});
  const auto centre = torch::arange(levels, torch::kFloat64) + 0.5;
  const auto weights = (position_to_depth(centre, codec) + options.threshold_offset).reciprocal();
  return (weights / weights.mean()).to(torch::kFloat32);
}

ThresholdStatistics threshold_statistics(const torch::Tensor& logits, const torch::Tensor& position,
                                         const torch::Tensor& weights) {
  const auto outputs = ThresholdStatisticsFunction::apply(logits, position, weights);
  return {outputs[0], outputs[1]};
}

}  // namespace dualdepth
