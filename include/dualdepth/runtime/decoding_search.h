#pragma once

#include <filesystem>
#include <functional>
#include <span>
#include <vector>

#include "dualdepth/config/train_options.h"
#include "dualdepth/data/dataset.h"
#include "dualdepth/metrics/depth_metrics.h"
#include "dualdepth/runtime/checkpoint.h"

// Slope and quantile of a trained cumulative head (codec/threshold_codec.h), chosen on a validation
// split: they cost nothing when predicting, and trade abs_rel, which is least below the median,
// against rmse, which is least at the mean.
namespace dualdepth {

struct Decoding {
  double slope = 1;
  double quantile = 0.5;
};

struct EvaluatedDecoding {
  Decoding decoding;
  DepthMetrics metrics;
};

// Evaluates the checkpoint's network with each of the decodings on the CPU. progress: called after
// each. Throws Error when the head is not cumulative.
std::vector<EvaluatedDecoding> evaluate_decodings(
    const Checkpoint& checkpoint, const Dataset& dataset, const EvaluationOptions& evaluation,
    std::span<const Decoding> decodings, const std::function<void(size_t done)>& progress = {});

// The one with the least abs_rel of those whose rmse is at most `rmse_ratio` (from 1) times the
// least rmse. `evaluated` is not empty.
const EvaluatedDecoding& best_decoding(std::span<const EvaluatedDecoding> evaluated,
                                       double rmse_ratio);

// Writes the checkpoint with model.head.slope and quantile of this decoding and all else as it is.
void write_with_decoding(const Checkpoint& checkpoint, const Decoding& decoding,
                         const std::filesystem::path& out);

}  // namespace dualdepth
