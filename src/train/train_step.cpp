#include "dualdepth/train/train_step.h"

#include <algorithm>
#include <cmath>

#include "dualdepth/loss/activation_loss.h"

namespace dualdepth {
namespace {

// The running statistics of batch norms, which a forward pass changes before anyone knows whether
// its loss is finite.
class BufferSnapshot {
 public:
  explicit BufferSnapshot(const std::vector<torch::Tensor>& buffers) : buffers_(buffers) {
    for (const torch::Tensor& buffer : buffers_) copies_.push_back(buffer.clone());
  }

  void restore() {
    for (size_t i = 0; i < buffers_.size(); ++i) buffers_[i].copy_(copies_[i]);
  }

 private:
  const std::vector<torch::Tensor>& buffers_;
  std::vector<torch::Tensor> copies_;
};

// The training objective of the network, on every scale that weighs something.
class NetworkLoss {
 public:
  NetworkLoss(DepthNet net, const RunConfig& config)
      : net_(std::move(net)),
        loss_(config.model, config.loss),
        activation_weight_(config.loss.activation_weight),
        precision_(config.trainer.precision) {
    for (const int64_t scale : config.model.head.scales) {
      const double weight = config.loss.scale_weights.at(static_cast<size_t>(scale));
      if (weight == 0) continue;
      scales_.push_back(scale);
      scale_weights_.push_back(weight);
    }
  }

  LossTerms operator()(const Batch& batch) {
    const auto device = net_->parameters().front().device();
    const auto pixels = batch.pixels.to(device, /*non_blocking=*/true);
    const auto depths = batch.depths.to(device, /*non_blocking=*/true);
    std::vector<torch::Tensor> maps;
    const auto features = net_->features(batch.image.to(device, /*non_blocking=*/true), precision_,
                                         activation_weight_ > 0 ? &maps : nullptr);
    std::vector<LossTerms> terms;
    for (const int64_t scale : scales_) {
      const HeadOutput heads = net_->heads_at(features.at(scale), scale, pixels);
      terms.push_back(loss_(heads.integer_logits, heads.fraction_logits, depths));
    }
    LossTerms sum = weighted_sum(terms, scale_weights_);
    if (!maps.empty() && !sum.empty()) {
      sum.total = sum.total + activation_weight_ * activation_loss(maps);
    }
    return sum;
  }

 private:
  DepthNet net_;
  DepthLoss loss_;
  double activation_weight_;
  Precision precision_;
  std::vector<int64_t> scales_;        // that weigh something
  std::vector<double> scale_weights_;  // theirs
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

TrainStep::TrainStep(const DepthNet& net, Optimizer& optimizer, const RunConfig& config)
    : TrainStep(NetworkLoss(net, config), net->buffers(), optimizer, config.trainer.clip_norm) {}

TrainStep::TrainStep(BatchLoss loss, std::vector<torch::Tensor> buffers, Optimizer& optimizer,
                     double clip_norm)
    : loss_(std::move(loss)),
      buffers_(std::move(buffers)),
      optimizer_(optimizer),
      clip_norm_(clip_norm) {}

StepResult TrainStep::operator()(std::span<const Batch> batches, double lr_scale) {
  StepResult result;
  BufferSnapshot buffers(buffers_);
  const auto undo = [&](StepOutcome outcome) {
    optimizer_.zero_gradients();
    buffers.restore();
    result.outcome = outcome;
    return result;
  };
  double counted = 0;
  for (const Batch& batch : batches) {
    const LossTerms terms = loss_(batch);
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
