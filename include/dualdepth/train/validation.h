#pragma once

#include <c10/core/Device.h>

#include <cstdint>
#include <memory>
#include <opencv2/core.hpp>
#include <string>
#include <string_view>
#include <vector>

#include "dualdepth/config/run_config.h"
#include "dualdepth/data/dataset.h"
#include "dualdepth/metrics/evaluation_result.h"
#include "dualdepth/model/depth_net.h"

namespace dualdepth {

// Picture, ground truth and prediction, one below the other.
struct Panel {
  std::string sample_id;
  cv::Mat rgb;  // CV_8UC3
};

// What one validation found.
struct ValidationResult {
  EvaluationResult evaluation;
  std::vector<Panel> panels;          // of the first trainer.panels samples
  std::vector<int64_t> level_counts;  // how often each level was predicted; empty without levels
};

// Validates while training by the code of `dualdepth eval` (runtime/evaluation.h): a checkpoint
// written now gets the same numbers there.
class Validation {
 public:
  // Opens data.val_split. Throws Error for an unknown protocol or monitor, and for faults of data.
  Validation(const RunConfig& config, c10::Device device);

  // Leaves `net` in training mode.
  ValidationResult run(DepthNet& net) const;

 private:
  RunConfig config_;
  c10::Device device_;
  std::unique_ptr<Dataset> dataset_;
};

// The metric of that name, as trainer.monitor gives it.
double metric_named(const DepthMetrics& metrics, std::string_view name);

}  // namespace dualdepth
