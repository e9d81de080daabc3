#pragma once

#include <torch/utils.h>

#include <filesystem>
#include <nlohmann/json.hpp>

#include "dualdepth/config/run_config.h"
#include "dualdepth/model/depth_net.h"
#include "dualdepth/model/tensor_file.h"
#include "dualdepth/model/weights.h"
#include "dualdepth/runtime/checkpoint.h"

namespace dualdepth::testing {

// A network of this configuration with random weights and statistics under which nothing cancels
// and levels differ between pixels.
inline DepthNet random_net(const ModelOptions& options, uint64_t seed = 4) {
  torch::manual_seed(seed);
  DepthNet net(options);
  const torch::NoGradGuard no_grad;
  for (auto& [name, tensor] : state_of(*net)) {
    auto values = tensor;
    if (name.ends_with("running_mean") || name.ends_with("bias")) values.normal_(0, 0.1);
    if (name.ends_with("running_var")) values.uniform_(0.5, 2);
    if (name.find("head_") != std::string::npos && name.ends_with("weight")) values.normal_(0, 0.5);
  }
  net->eval();
  return net;
}

// Writes it as a checkpoint that open_checkpoint reads.
inline void write_random_checkpoint(const std::filesystem::path& file, const RunConfig& config,
                                    uint64_t seed = 4) {
  NamedTensors tensors;
  add_with_prefix(tensors, kModelPrefix, state_of(*random_net(config.model, seed)));
  const nlohmann::json metadata{{"format_version", kCheckpointFormatVersion},
                                {"config", to_yaml(config)},
                                {"step", 1},
                                {"epoch", 0}};
  write_tensors(file, tensors, {{kCheckpointMetadataKey, metadata.dump()}});
}

}  // namespace dualdepth::testing
