#pragma once

#include <filesystem>
#include <functional>
#include <span>
#include <vector>

#include "dualdepth/config/train_options.h"
#include "dualdepth/data/dataset.h"
#include "dualdepth/metrics/depth_metrics.h"
#include "dualdepth/model/depth_net.h"
#include "dualdepth/runtime/checkpoint.h"

// The decoding of a trained head, chosen on a validation split: it trades abs_rel, which is least
// at or below the median of the predicted distribution, against rmse, which is least at its mean.
namespace dualdepth {

struct EvaluatedDecoding {
  Decoding decoding;
  DepthMetrics metrics;
};

// Evaluates the checkpoint's network with each of the decodings on the CPU. progress: called after
// each. Throws Error for a head that is neither cumulative nor categorical with levels, whose depth
// can be decoded in one way only.
std::vector<EvaluatedDecoding> evaluate_decodings(
    const Checkpoint& checkpoint, const Dataset& dataset, const EvaluationOptions& evaluation,
    std::span<const Decoding> decodings, const std::function<void(size_t done)>& progress = {});

// The one with the least abs_rel of those whose rmse is at most `rmse_ratio` (from 1) times the
// least rmse. `evaluated` is not empty.
const EvaluatedDecoding& best_decoding(std::span<const EvaluatedDecoding> evaluated,
                                       double rmse_ratio);

// Writes the checkpoint with this decoding and all else as it is.
void write_with_decoding(const Checkpoint& checkpoint, const Decoding& decoding,
                         const std::filesystem::path& out);

}  // namespace dualdepth
