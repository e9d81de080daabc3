#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "dualdepth/config/quantize_options.h"
#include "dualdepth/graph/graph.h"
#include "dualdepth/quantize/target.h"

// What decides a quantized network, as a value.
namespace dualdepth {

namespace quantize {

// When the integer head is centred (graph/centring.h).
enum class CentringOrder { kNone, kBeforeEqualization, kAfterEqualization };

}  // namespace quantize

template <>
struct EnumNames<quantize::CentringOrder> {
  static constexpr std::array values{
      std::pair{quantize::CentringOrder::kNone, "none"},
      std::pair{quantize::CentringOrder::kBeforeEqualization, "before-equalization"},
      std::pair{quantize::CentringOrder::kAfterEqualization, "after-equalization"}};
};

namespace quantize {

// What is done to the integer head. The range that its winners have in 8 bits is the quantization
// of its logits, from `shift` upwards.
struct HeadPolicy {
  CentringOrder centring = CentringOrder::kNone;
  std::vector<float> filter = {};  // subtracted from each filter of the head, [C, kh, kw]
  float offset = 0;                // subtracted from each bias
  double shift = 0;  // subtracted from the biases of the quantized head only (lower_head)

  template <class Visitor>
  void visit(Visitor& v) {
    v.field("centring", centring, {.help = "when the head is centred", .is_required = true});
    v.field("filter", filter, {.help = "subtracted from each filter of the head"});
    v.field("offset", offset, {.help = "subtracted from each bias of the head"});
    v.field("shift", shift, {.help = "subtracted from the biases of the quantized head"});
  }

  bool operator==(const HeadPolicy&) const = default;
};

// The scales of one convolution's filters: one, or one for each filter.
struct FilterScales {
  int64_t bits = 8;
  std::vector<float> scales = {};

  template <class Visitor>
  void visit(Visitor& v) {
    v.field("bits", bits, {.help = "of a code", .is_required = true});
    v.field("scales", scales, {.help = "one, or one for each filter", .is_required = true});
  }

  bool operator==(const FilterScales&) const = default;
};

inline constexpr int kPlanVersion = 1;

// Everything that decides a quantized network, except what adaptive rounding and bias correction
// find afterwards (quantize/layerwise.h). A plan is a value: each step of the quantizer takes one
// and returns another, and apply_plan() makes the quantized network of it. Names are those of the
// nodes of the float network once the head is centred (graph::node_names()).
//
// As JSON it can be saved, edited by hand and applied again to the same network:
//
//   {"format_version": 1,
//    "network": "2fd4e1c67a2d28fced849ee1bb76e7391b93eb12",
//    "target": {...},                          quantize/target.h
//    "granularity": "per-channel",
//    "float": ["/head/Conv"],                  convolutions that stay float
//    "head": {"centring": "none", "filter": [], "offset": 0, "shift": 0},
//    "equalization": {"/conv1/Conv": [1.2, 0.7, ...]},
//    "values": {"/conv1/Relu": {"scale": 0.0123, "zero_point": 0, "bits": 8, "signed": false}},
//    "filters": {"/conv1/Conv": {"bits": 8, "scales": [0.0021, ...]}}}
struct Plan {
  int64_t format_version = kPlanVersion;
  std::string network;  // network_fingerprint() of the float network
  Target target;
  WeightGranularity granularity = WeightGranularity::kPerChannel;
  std::vector<std::string> float_convs = {};
  HeadPolicy head = {};
  // The factors that each group of channels is divided by, by the name of the group's first
  // convolution (graph/equalize.h); empty: no equalization.
  std::map<std::string, std::vector<float>> equalization = {};
  // Of each quantized value. Values that share a scale (a Concat and what it reads) have equal
  // entries.
  std::map<std::string, graph::FakeQuantize> values = {};
  std::map<std::string, FilterScales> filters = {};  // of each quantized convolution

  template <class Visitor>
  void visit(Visitor& v);

  // What does not fit together or to the target; subjects are keys such as "values./a/Relu.scale".
  std::vector<ErrorParts> problems() const;

  bool operator==(const Plan&) const = default;
};

// JSON that parse_plan() reads back to an equal plan, bit for bit.
std::string to_json(const Plan& plan);

// Throws ConfigError naming `origin`, the line and each entry that is wrong: an unknown or missing
// key, a scale that is not above 0 or, where the target wants powers of two, not one, a zero point
// outside the codes.
Plan parse_plan(const std::string& json, const std::string& origin);

void write_plan(const std::filesystem::path& file, const Plan& plan);
Plan read_plan(const std::filesystem::path& file);

template <class Visitor>
void Plan::visit(Visitor& v) {
  struct Equalization {
    std::map<std::string, std::vector<float>>& all;
    void visit(Visitor& to) {
      for (auto& [name, factors] : all) {
        to.field(name, factors, {.help = "factors", .min = 1e-6, .max = 1e6});
      }
    }
  };
  struct Value {
    graph::FakeQuantize& value;
    void visit(Visitor& to) {
      to.field("scale", value.scale, {.help = "of a code", .is_required = true});
      to.field("zero_point", value.zero_point, {.help = "code of 0", .is_required = true});
      to.field("bits", value.bits, {.help = "of a code", .is_required = true});
      to.field("signed", value.is_signed, {.help = "signed codes", .is_required = true});
    }
  };
  struct Values {
    std::map<std::string, graph::FakeQuantize>& all;
    void visit(Visitor& to) {
      for (auto& [name, value] : all) {
        Value fields{value};
        to.group(name, fields);
      }
    }
  };
  struct Filters {
    std::map<std::string, FilterScales>& all;
    void visit(Visitor& to) {
      for (auto& [name, scales] : all) to.group(name, scales);
    }
  };
  v.field("format_version", format_version, {.help = "of this JSON", .is_required = true});
  v.field("network", network, {.help = "fingerprint of the network", .is_required = true});
  v.group("target", target);
  v.field("granularity", granularity, {.help = "scales of filters", .is_required = true});
  v.field("float", float_convs, {.help = "convolutions in float", .is_required = true});
  v.group("head", head);
  Equalization factors{equalization};
  v.group("equalization", factors);
  Values quantized{values};
  v.group("values", quantized);
  Filters scales{filters};
  v.group("filters", scales);
}

}  // namespace quantize
}  // namespace dualdepth
