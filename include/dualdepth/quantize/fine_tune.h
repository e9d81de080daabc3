#pragma once

#include <filesystem>

#include "dualdepth/config/run_config.h"
#include "dualdepth/metrics/depth_metrics.h"

namespace dualdepth::quantize {

struct FineTuneResult {
  std::filesystem::path file;    // output_dir/int8.onnx
  int64_t steps = 0;             // taken
  int64_t best_step = 0;         // whose network the file holds; 0: the one it began with
  bool was_interrupted = false;  // by SIGINT or SIGTERM; the file holds the best network until then
  DepthMetrics before = {};      // of the validation split, in 8 bits
  DepthMetrics after = {};       // of the file's network
};

// Quantization-aware fine-tuning, the last resort where quantize_graph() alone costs too much. It
// begins with what quantize_graph() makes of the checkpoint config.quantize.checkpoint with
// training pictures, rounding and bias correction included; then the filters learn while the
// network computes as in 8 bits (fake_quantized_net.h). A learning rate of a hundredth of
// training's is a good start.
//
// The validation split is evaluated before, every trainer.validate_every steps and at the end. The
// file holds the network with the least abs_rel, so it is never worse there than what it began
// with.
//
// Of the configuration it uses the losses at the finest scale, the optimizer, the schedule,
// trainer.max_steps, max_epochs, accumulate, clip_norm, max_bad_steps, validate_every and
// log_every. It computes in float32 on the CPU. A warning names each of loss.activation_weight,
// loss.scale_weights, trainer.ema_decay, trainer.precision and device that is set and not used.
//
// Writes output_dir/int8.onnx, as `quantize` would, config.yaml, metrics.jsonl and log.txt. Throws
// Error, before it writes anything, for faults of configuration, checkpoint and data, among them a
// configuration without data.val_split, and after trainer.max_bad_steps steps in a row whose loss
// or gradient is not finite.
FineTuneResult fine_tune(const RunConfig& config);

}  // namespace dualdepth::quantize
