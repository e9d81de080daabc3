#pragma once

#include <filesystem>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "dualdepth/config/export_options.h"
#include "dualdepth/quantize/choose_range.h"
#include "dualdepth/quantize/placement.h"
#include "dualdepth/quantize/weight_grid.h"

// What a chip or runtime computes in 8 bits, as data. The targets that ship with the program are
// src/quantize/targets/*.json, one for each ONNX profile; another chip is another such file.
namespace dualdepth::quantize {

enum class Access {
  kFloat,  // float values
  kCodes,  // values that have been quantized: behind a Q/DQ pair
  kMoves,  // as it is: the operator only moves values, and leaves float ones float
};

struct OperatorRule {
  Access reads = Access::kFloat;
  Access writes = Access::kFloat;
  bool has_one_scale = false;  // its inputs and its output share a scale
  bool fuses_relu = false;     // a Relu behind it is computed with it, without codes in between
  bool fuses_producer =
      false;  // of an Add: a convolution that writes for it only is computed with it
};

// An operator without a rule is computed in float.
struct Target {
  std::string name;
  OnnxProfile profile = OnnxProfile::kPortable;  // operators, opset and outputs of the file
  ValueFormat values;
  std::vector<WeightGranularity> granularities;  // that it allows; the first is the default
  BiasFormat bias = BiasFormat::kInt32;
  std::map<std::string, OperatorRule> operators;  // by kind_name() of graph/graph.h

  // The rule of a node, or that of float.
  OperatorRule rule(const graph::Operation& operation) const;
};

//   {"format_version": 1, "name": "tensorrt", "onnx_profile": "tensorrt",
//    "values": {"bits": 8, "symmetric": true, "power_of_two_scales": false},
//    "weights": {"bits": 8, "granularities": ["per-channel", "per-tensor"]},
//    "bias": "float", "rounding": "half-to-even",
//    "operators": {"Add": {"reads": "codes", "writes": "float", "fuses": ["Conv", "Relu"]},
//                  "Concat": {"reads": "moves", "writes": "moves", "one_scale": true}, ...}}
//
// Codes have 8 bits. Throws Error naming `subject` and the entry for anything else: an unknown key
// or word, a missing key, another number of bits.
Target parse_target(std::string_view json, const std::string& subject);
Target read_target(const std::filesystem::path& file);

// The target that ships for a profile.
const Target& target_of(OnnxProfile profile);

// place_grids() of placement.h for any target.
Placement place_grids(const graph::Graph& graph, const Target& target,
                      const FloatConvs& float_convs = {});

}  // namespace dualdepth::quantize
