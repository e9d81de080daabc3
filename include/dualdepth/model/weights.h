#pragma once

#include <torch/nn/module.h>

#include <filesystem>
#include <string>
#include <vector>

#include "dualdepth/model/encoder.h"
#include "dualdepth/model/tensor_file.h"

namespace dualdepth {

// Parameters and buffers by their dotted names. They share the module's memory.
NamedTensors state_of(const torch::nn::Module& module);

// What became of the names of a module and of a file, each list in name order.
struct LoadReport {
  std::vector<std::string> matched;
  std::vector<std::string> missing;  // in the module, not in the file: left as they were
  std::vector<std::string> unused;   // in the file, not in the module

  // "80 tensors matched, 20 missing (layer4.0.bn1.bias, ...), 2 unused (fc.bias, fc.weight)"
  std::string summary() const;
};

// Copies tensors into the module where names match, converting between floating-point types.
// Throws Error that lists every difference in shape or kind; the module is unchanged then.
// `origin` stands for the file in messages.
LoadReport load_matching_state(torch::nn::Module& module, const NamedTensors& tensors,
                               const std::string& origin);

// As above, but a missing or an unused tensor is a difference too.
void load_whole_state(torch::nn::Module& module, const NamedTensors& tensors,
                      const std::string& origin);

// The same for tensors that belong to no module: copies into the memory of `own`.
void load_whole_state(NamedTensors own, const NamedTensors& tensors, const std::string& origin);

// Pretrained encoder weights from a safetensors file, in the names that the encoder has. A
// classifier is left unused, what the file lacks keeps its random start. The count of seen batches,
// which published files may lack, is not reported as missing. Throws Error when no name matches.
LoadReport load_encoder_weights(Encoder& encoder, const std::filesystem::path& file);

}  // namespace dualdepth
