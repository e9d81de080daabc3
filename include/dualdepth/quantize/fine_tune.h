#pragma once

#include <filesystem>
#include <optional>

#include "dualdepth/config/run_config.h"
#include "dualdepth/metrics/depth_metrics.h"

namespace dualdepth::quantize {

struct FineTuneResult {
  std::filesystem::path file;    // output_dir/int8.onnx
  int64_t steps = 0;             // taken
  bool was_interrupted = false;  // by SIGINT or SIGTERM; the file holds what was learned
  std::optional<DepthMetrics> before =
      {};  // of the validation split, in 8 bits; nothing without one
  std::optional<DepthMetrics> after = {};
};

// Quantization-aware fine-tuning, the last resort where quantize_graph() alone costs too much: the
// checkpoint config.quantize.checkpoint is centred, equalized and given its ranges on training
// pictures; then its filters learn, with the losses, optimizer and schedule of the configuration,
// while the network computes as in 8 bits (fake_quantized_net.h). A learning rate of a hundredth of
// training's is a good start.
//
// Writes output_dir/int8.onnx, as `quantize` would, config.yaml, metrics.jsonl and log.txt. Throws
// Error, before it writes anything, for faults of configuration, checkpoint and data, and after
// trainer.max_bad_steps steps in a row whose loss or gradient is not finite.
FineTuneResult fine_tune(const RunConfig& config);

}  // namespace dualdepth::quantize
