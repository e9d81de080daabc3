#include "dualdepth/train/train_step.h"

#include <algorithm>
#include <cmath>

namespace dualdepth {
namespace {

// The running statistics of batch norms, which a forward pass changes before anyone knows whether
// its loss is finite.
class BufferSnapshot {
 public:
  explicit BufferSnapshot(const DepthNet& net) : buffers_(net->buffers()) {
    for (const torch::Tensor& buffer : buffers_) copies_.push_back(buffer.clone());
  }

  void restore() {
    for (size_t i = 0; i < buffers_.size(); ++i) buffers_[i].copy_(copies_[i]);
  }

 private:
  std::vector<torch::Tensor> buffers_;
  std::vector<torch::Tensor> copies_;
};

void add_losses(StepResult& sum, const LossTerms& terms) {
  sum.loss += terms.total.item<double>();
  sum.integer += terms.integer.item<double>();
  sum.fractional += terms.fractional.item<double>();
  sum.consistency += terms.consistency.item<double>();
}

void divide_losses(StepResult& sum, double count) {
  for (double* value : {&sum.loss, &sum.integer, &sum.fractional, &sum.consistency}) {
    *value /= count;
  }
}

}  // namespace

TrainStep::TrainStep(DepthNet net, Optimizer& optimizer, const RunConfig& config)
    : net_(std::move(net)),
      optimizer_(optimizer),
      loss_(config.model.params, config.loss),
      precision_(config.trainer.precision),
      clip_norm_(config.trainer.clip_norm) {
  for (const int64_t scale : config.model.head.scales) {
    const double weight = config.loss.scale_weights.at(static_cast<size_t>(scale));
    if (weight == 0) continue;
    scales_.push_back(scale);
    scale_weights_.push_back(weight);
  }
}

LossTerms TrainStep::forward(const Batch& batch) {
  const auto device = net_->parameters().front().device();
  const auto pixels = batch.pixels.to(device, /*non_blocking=*/true);
  const auto depths = batch.depths.to(device, /*non_blocking=*/true);
  const auto features = net_->features(batch.image.to(device, /*non_blocking=*/true), precision_);
  std::vector<LossTerms> terms;
  for (const int64_t scale : scales_) {
    const HeadOutput heads = net_->heads_at(features.at(scale), scale, pixels);
    terms.push_back(loss_(heads.integer_logits, heads.fraction_logits, depths));
  }
  return weighted_sum(terms, scale_weights_);
}

StepResult TrainStep::operator()(std::span<const Batch> batches, double lr_scale) {
  StepResult result;
  BufferSnapshot buffers(net_);
  const auto undo = [&](StepOutcome outcome) {
    optimizer_.zero_gradients();
    buffers.restore();
    result.outcome = outcome;
    return result;
  };
  double counted = 0;
  for (const Batch& batch : batches) {
    const LossTerms terms = forward(batch);
    result.pixels += terms.pixels;
    result.out_of_range += terms.out_of_range;
    if (terms.empty()) continue;
    add_losses(result, terms);
    if (!std::isfinite(result.loss)) return undo(StepOutcome::kNotFinite);
    terms.total.backward();
    ++counted;
  }
  if (counted == 0) return undo(StepOutcome::kEmpty);
  divide_losses(result, counted);
  result.gradient_norm = optimizer_.gradient_norm() / counted;
  if (!std::isfinite(result.gradient_norm)) return undo(StepOutcome::kNotFinite);
  const double clip = clip_norm_ > 0 ? std::max(1.0, result.gradient_norm / clip_norm_) : 1;
  optimizer_.step(lr_scale, counted * clip);
  optimizer_.zero_gradients();
  result.outcome = StepOutcome::kUpdated;
  return result;
}

}  // namespace dualdepth
