#pragma once

#include <cstdint>
#include <span>

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
// ground truth on every scale that weighs something, backward, clipping by norm, update. Runs where
// the network's parameters are.
class TrainStep {
 public:
  // Keeps references to network and optimiser.
  TrainStep(DepthNet net, Optimizer& optimizer, const RunConfig& config);

  // The mean gradient of these batches makes one update with learning rate lr * lr_scale.
  StepResult operator()(std::span<const Batch> batches, double lr_scale);

 private:
  LossTerms forward(const Batch& batch);

  DepthNet net_;
  Optimizer& optimizer_;
  DepthLoss loss_;
  std::vector<int64_t> scales_;        // that weigh something
  std::vector<double> scale_weights_;  // theirs
  Precision precision_;
  double clip_norm_;
};

}  // namespace dualdepth
