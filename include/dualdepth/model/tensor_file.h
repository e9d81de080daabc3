#pragma once

#include <torch/types.h>

#include <filesystem>
#include <map>
#include <string>
#include <string_view>

#include "dualdepth/io/safetensors.h"

namespace dualdepth {

using NamedTensors = std::map<std::string, torch::Tensor>;

// Writes tensors of any device and memory format as safetensors (row-major, in name order) with
// this metadata, atomically.
void write_tensors(const std::filesystem::path& file, const NamedTensors& tensors,
                   const std::map<std::string, std::string>& metadata = {});

// The file's tensors whose names begin with `prefix`, without it, copied to the CPU.
NamedTensors read_tensors(const SafetensorsFile& file, std::string_view prefix = "");

// Adds `tensors` to `all` under prefix + name.
void add_with_prefix(NamedTensors& all, std::string_view prefix, const NamedTensors& tensors);

}  // namespace dualdepth
