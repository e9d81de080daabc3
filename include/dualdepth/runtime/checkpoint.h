#pragma once

#include <filesystem>
#include <nlohmann/json.hpp>
#include <string_view>

#include "dualdepth/config/run_config.h"
#include "dualdepth/io/safetensors.h"
#include "dualdepth/model/depth_net.h"

namespace dualdepth {

// A checkpoint is one safetensors file:
//
//   model.<name>      the network as it trains (names of DepthNet)
//   ema.<name>        averaged weights, where trainer.ema_decay is not 0
//   optimizer.<name>  state of the optimiser
//   metadata "dualdepth": JSON {"format_version": 1, "config": <resolved YAML>, "step", "epoch",
//   ...}
//
// The trainer writes and owns the rest of the JSON; Python's safetensors opens the file.
inline constexpr int kCheckpointFormatVersion = 1;
inline constexpr const char* kCheckpointMetadataKey = "dualdepth";
inline constexpr std::string_view kModelPrefix = "model.";
inline constexpr std::string_view kEmaPrefix = "ema.";
inline constexpr std::string_view kOptimizerPrefix = "optimizer.";

// An open checkpoint whose metadata has been read and checked; tensors are still in the file.
struct Checkpoint {
  SafetensorsFile file;
  nlohmann::json metadata;
  RunConfig config;
};

// Throws Error naming the file when it is no checkpoint, of another format version, or its
// configuration cannot be read.
Checkpoint open_checkpoint(const std::filesystem::path& file);

// The network to predict with, in evaluation mode on the CPU: averaged weights where there are any,
// for each tensor. Throws Error that lists all differences when the tensors are of another network.
DepthNet load_network(const Checkpoint& checkpoint);

}  // namespace dualdepth
