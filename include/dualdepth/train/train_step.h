#pragma once

#include <cstdint>
#include <functional>
#include <span>
#include <vector>

#include "dualdepth/config/run_config.h"
#include "dualdepth/data/batch.h"
#include "dualdepth/loss/depth_loss.h"
#include "dualdepth/model/depth_net.h"
#include "dualdepth/train/optimizer.h"

namespace dualdepth {

enum class StepOutcome {
  kUpdated,
  kEmpty,      // no batch had a pixel in range: nothing was changed
  kNotFinite,  // the loss or a gradient was infinite or NaN: nothing was changed
};

// What a step did. Losses are means over its batches that have pixels in range.
struct StepResult {
  StepOutcome outcome = StepOutcome::kEmpty;
  double loss = 0;
  double integer = 0;
  double fractional = 0;
  double consistency = 0;
  double gradient_norm = 0;  // before clipping
  int64_t pixels = 0;        // that trained
  int64_t out_of_range = 0;  // that were masked
};

// One optimiser step as the trainer and bench/train_step take it: forward, loss at the pixels with
// ground truth, backward, clipping by norm, update. Runs where the network's parameters are.
class TrainStep {
 public:
  // What a batch costs, with gradient.
  using BatchLoss = std::function<LossTerms(const Batch& batch)>;

  // Of the network, on every scale that weighs something. Keeps references to network and
  // optimiser.
  TrainStep(const DepthNet& net, Optimizer& optimizer, const RunConfig& config);

  // Of any network. buffers: what a forward pass changes and a step without update restores.
  TrainStep(BatchLoss loss, std::vector<torch::Tensor> buffers, Optimizer& optimizer,
            double clip_norm);

  // The mean gradient of these batches makes one update with learning rate lr * lr_scale.
  StepResult operator()(std::span<const Batch> batches, double lr_scale);

 private:
  BatchLoss loss_;
  std::vector<torch::Tensor> buffers_;
  Optimizer& optimizer_;
  double clip_norm_;
};

}  // namespace dualdepth
