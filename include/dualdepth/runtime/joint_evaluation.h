#pragma once

#include <functional>
#include <span>
#include <string>
#include <vector>

#include "dualdepth/metrics/depth_difference.h"
#include "dualdepth/metrics/evaluation_result.h"
#include "dualdepth/runtime/evaluation.h"

namespace dualdepth {

// What a joint evaluation returns of one model.
struct JointEvaluation {
  EvaluationResult result;
  // From the first model's depth, with the protocol's bins; all zero differences for itself.
  DepthDifference to_first;
  double ms_per_picture = 0;  // mean time of its DepthSource
};

// Sees how many pictures of which model are done.
using JointProgress = std::function<void(size_t model, size_t pictures)>;

// Evaluates several models on the same samples under options.protocol, and measures how far each
// one's depth lies from the first one's over all pixels, at the first one's size (other sizes are
// resized bilinearly to it). The samples go through the models in blocks of kJointBlock: the first
// model's depth is kept for a block only, and within it a model computes without the others in
// between. Its first picture of each block warms it up and is not timed, unless there is only one
// picture. options.classes has no effect. Throws Error as evaluate() does.
inline constexpr size_t kJointBlock = 16;
std::vector<JointEvaluation> evaluate_jointly(std::span<const DepthSource> models,
                                              const Dataset& dataset,
                                              const EvaluationOptions& options,
                                              const JointProgress& progress = {});

}  // namespace dualdepth
