#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "dualdepth/base/error.h"
#include "dualdepth/config/contract.h"
#include "dualdepth/config/export_options.h"
#include "dualdepth/quantize/choose_range.h"
#include "dualdepth/quantize/placement.h"
#include "dualdepth/quantize/weight_grid.h"

// What a chip or runtime computes in whole numbers, as data. The targets that ship with the program
// are src/quantize/targets/*.json, one for each ONNX profile; another chip is another such file.
namespace dualdepth {

namespace quantize {

enum class Access {
  kFloat,  // float values
  kCodes,  // values that have been quantized: behind a Q/DQ pair
  kMoves,  // as it is: the operator only moves values, and leaves float ones float
};

// An operator that is computed together with another one, without codes in between.
enum class Fused {
  kRelu,  // the Relu behind it
  kConv,  // of an Add: a convolution that writes for it only
};

enum class Rounding { kHalfToEven };

}  // namespace quantize

template <>
struct EnumNames<quantize::Access> {
  static constexpr std::array values{std::pair{quantize::Access::kFloat, "float"},
                                     std::pair{quantize::Access::kCodes, "codes"},
                                     std::pair{quantize::Access::kMoves, "moves"}};
};
template <>
struct EnumNames<quantize::Fused> {
  static constexpr std::array values{std::pair{quantize::Fused::kRelu, "Relu"},
                                     std::pair{quantize::Fused::kConv, "Conv"}};
};
template <>
struct EnumNames<quantize::Rounding> {
  static constexpr std::array values{std::pair{quantize::Rounding::kHalfToEven, "half-to-even"}};
};

namespace quantize {

struct OperatorRule {
  Access reads = Access::kFloat;
  Access writes = Access::kFloat;
  bool has_one_scale = false;
  std::vector<Fused> fuses = {};
  std::vector<int64_t> value_bits = {};   // of its value; empty: those of the target
  std::vector<int64_t> weight_bits = {};  // the same of its weights

  bool fuses_with(Fused other) const;

  template <class Visitor>
  void visit(Visitor& v) {
    v.field("reads", reads, {.help = "what its inputs are", .is_required = true});
    v.field("writes", writes, {.help = "what its value is", .is_required = true});
    v.field("one_scale", has_one_scale, {.help = "its inputs and its value share a scale"});
    v.field("fuses", fuses, {.help = "operators that are computed together with it"});
    v.field("value_bits", value_bits, {.help = "of its value's codes", .min = 8, .max = 16});
    v.field("weight_bits", weight_bits, {.help = "of its weights' codes", .min = 8, .max = 16});
  }

  bool operator==(const OperatorRule&) const = default;
};

// Visits each operator's rule as a group of its name.
struct OperatorGroups {
  std::map<std::string, OperatorRule>& all;

  template <class Visitor>
  void visit(Visitor& v) {
    for (auto& [name, rule] : all) v.group(name, rule);
  }
};

// How a target stores values and filters.
struct ValueRules {
  std::vector<int64_t> bits = {8};  // 8 or 16; the first is the default
  bool is_symmetric = false;
  bool has_power_of_two_scale = false;

  template <class Visitor>
  void visit(Visitor& v) {
    v.field("bits", bits, {.help = "of a code", .min = 8, .max = 16, .is_required = true});
    v.field("symmetric", is_symmetric,
            {.help = "signed codes around 0 instead of unsigned ones with a zero point"});
    v.field("power_of_two_scales", has_power_of_two_scale, {.help = "scales that are shifts"});
  }

  bool operator==(const ValueRules&) const = default;
};

struct WeightRules {
  std::vector<int64_t> bits = {8};  // likewise
  std::vector<WeightGranularity> granularities = {};

  template <class Visitor>
  void visit(Visitor& v) {
    v.field("bits", bits, {.help = "of a code", .min = 8, .max = 16, .is_required = true});
    v.field("granularities", granularities,
            {.help = "that it allows; the first is the default", .is_required = true});
  }

  bool operator==(const WeightRules&) const = default;
};

inline constexpr int kTargetVersion = 2;

// An operator without a rule is computed in float.
struct Target {
  int64_t format_version = kTargetVersion;
  std::string name;
  OnnxProfile profile = OnnxProfile::kPortable;  // operators of the file
  int64_t opset = 13;                            // of the file: npu 9, others from 13
  std::vector<OutputKind> outputs = {};          // that a file may have
  ValueRules values;
  WeightRules weights;
  BiasFormat bias = BiasFormat::kInt32;
  Rounding rounding = Rounding::kHalfToEven;
  std::map<std::string, OperatorRule> operators;  // by kind_name() of graph/graph.h

  // The rule of a node, or that of float.
  OperatorRule rule(const graph::Operation& operation) const;

  ValueFormat value_format(int64_t bits) const;

  // The bits that an operator's value and weights may have; the first are the default.
  std::vector<int64_t> value_bits(const graph::Operation& operation) const;
  std::vector<int64_t> weight_bits(const graph::Operation& operation) const;

  template <class Visitor>
  void visit(Visitor& v) {
    v.field("format_version", format_version, {.help = "of this JSON", .is_required = true});
    v.field("name", name, {.help = "of the chip or runtime", .is_required = true});
    v.field("onnx_profile", profile, {.help = "operators of the file", .is_required = true});
    v.field("opset", opset, {.help = "of the file", .min = 9, .max = 21, .is_required = true});
    v.field("outputs", outputs, {.help = "that a file may have", .is_required = true});
    v.group("values", values);
    v.group("weights", weights);
    v.field("bias", bias, {.help = "what is added to a convolution's sums", .is_required = true});
    v.field("rounding", rounding, {.help = "of halves", .is_required = true});
    OperatorGroups groups{operators};
    v.group("operators", groups);
  }

  // What does not fit together.
  std::vector<ErrorParts> problems() const;

  bool operator==(const Target&) const = default;
};

//   {"format_version": 2, "name": "tensorrt", "onnx_profile": "tensorrt", "opset": 13,
//    "outputs": ["level", "fraction", "depth"],
//    "values": {"bits": [8], "symmetric": true, "power_of_two_scales": false},
//    "weights": {"bits": [8], "granularities": ["per-channel", "per-tensor"]},
//    "bias": "float", "rounding": "half-to-even",
//    "operators": {"Add": {"reads": "codes", "writes": "float", "fuses": ["Conv", "Relu"]},
//                  "Concat": {"reads": "moves", "writes": "moves", "one_scale": true}, ...}}
//
// An operator may narrow the bits of its value and its weights: {"reads": "codes", "writes":
// "codes", "value_bits": [8], "weight_bits": [8, 16]}. Q/DQ pairs of 16 bits are standard from
// opset 21 on, and of the domain com.microsoft before.
//
// Throws ConfigError naming `subject` and each entry that is wrong: an unknown key or word, a
// missing key, another number of bits, an opset that the profile cannot have.
Target parse_target(std::string_view json, const std::string& subject);
Target read_target(const std::filesystem::path& file);

// JSON over several lines that parse_target() reads back to an equal target.
std::string to_json(const Target& target);

// The target that ships for a profile.
const Target& target_of(OnnxProfile profile);

// Throws Error when an output of the network is none that the target's files may have.
void expect_outputs(const Target& target, const Contract& contract);

// place_grids() of placement.h for any target.
Placement place_grids(const graph::Graph& graph, const Target& target,
                      const FloatConvs& float_convs = {});

}  // namespace quantize
}  // namespace dualdepth
