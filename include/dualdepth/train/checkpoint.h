#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "dualdepth/config/run_config.h"
#include "dualdepth/model/depth_net.h"
#include "dualdepth/runtime/checkpoint.h"
#include "dualdepth/train/optimizer.h"
#include "dualdepth/train/schedule.h"
#include "dualdepth/train/weight_average.h"

namespace dualdepth {

// What validation said of one step.
struct ScoredStep {
  int64_t step = 0;
  double value = 0;  // of trainer.monitor
};

// Where a run stands between two steps: with the tensors, all that the rest of the run depends on.
struct RunPosition {
  int64_t step = 0;              // steps taken, those that were skipped included
  int64_t epoch = 0;             // of the next batch
  int64_t batch = 0;             // of the next batch within its epoch
  int64_t skipped_steps = 0;     // that were not finite, since the start
  int64_t skipped_in_row = 0;    // that were not finite, up to now
  std::vector<ScoredStep> best;  // at most keep_top_k, best first
  int64_t validations_since_best = 0;
};

// A run's tensors and its position.
struct TrainState {
  TrainState(const RunConfig& config, DepthNet network);

  // Of network, averaged weights and optimiser, by the names of runtime/checkpoint.h. They share
  // the state's memory.
  NamedTensors tensors() const;

  // To be called after each update of the weights.
  void update_average();

  // The averaged network where there is one, otherwise `net` itself: what load_network() makes of a
  // checkpoint of this state.
  DepthNet network_to_predict_with() const;

  DepthNet net;  // in training mode
  Optimizer optimizer;
  std::optional<WeightAverage> average;  // where trainer.ema_decay is not 0
  RunPosition position;
};

// The start of a run: random weights from config.seed, the encoder's from model.pretrained where
// that is named.
TrainState start_state(const RunConfig& config, torch::Device device);

// What the state was when the checkpoint was written, LibTorch's random generator included. Throws
// Error that lists all differences when the checkpoint is of another network or optimiser, and when
// its metadata lacks a part of the position.
TrainState resume_state(const RunConfig& config, torch::Device device,
                        const Checkpoint& checkpoint);

// Writes the state as one safetensors file under each of these names, all in one folder, in this
// order: the first is written (AtomicFile), the others are further names of the same bytes. Each
// name holds a whole checkpoint at every moment, the old one or the new one. Throws Error when the
// disk is full, and leaves all names as they were.
void write_checkpoint(std::span<const std::filesystem::path> files, const TrainState& state,
                      const RunConfig& config, const RunLength& length);

}  // namespace dualdepth
