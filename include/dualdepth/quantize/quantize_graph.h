#pragma once

#include <optional>
#include <string>
#include <vector>

#include "dualdepth/config/quantize_options.h"
#include "dualdepth/graph/centring.h"
#include "dualdepth/quantize/depth_error.h"
#include "dualdepth/quantize/layerwise.h"
#include "dualdepth/quantize/range_table.h"
#include "dualdepth/quantize/target.h"

namespace dualdepth::quantize {

// What is done to a network so that 8 bits keep its depth. Each step can be left out, and each is
// kept only where it brings depth nearer to float's on the judged pictures.
struct QuantizeOptions {
  OnnxProfile profile = OnnxProfile::kPortable;
  std::optional<Target> target = {};              // in place of the one that ships for the profile
  std::optional<WeightGranularity> weights = {};  // none: the target's default
  RangeMethod ranges = RangeMethod::kMse;
  bool center = true;            // graph/centring.h and the winners' range of the integer head
  bool equalize = true;          // quantize/equalization.h
  bool correct_bias = true;      // quantize/layerwise.h
  bool round_adaptively = true;  // the same
  std::vector<std::string> keep_float = {};     // names of convolutions
  std::optional<RangeTable> given_ranges = {};  // in place of calibrated ones, by node name
  size_t judged_pictures = 8;                   // of calibration, that effects are measured on
  int64_t positions = 9216;  // output pixels that each layer is fitted and held to
  int threads = 0;           // of calibration; 0: all cores

  const Target& chosen_target() const;
  WeightGranularity granularity() const;
};

// The network's error in 8 bits once a step is done, with all before it, against float.
struct Stage {
  std::string name;
  DepthError error;
};

struct Quantization {
  graph::Graph reference;  // float, with centring and equalization: the same function as before
  double head_shift = 0;   // subtracted from the biases of the integer head in `graph` alone
  graph::Graph graph;      // with grids
  std::vector<graph::NodeId> renamed;  // node of reference -> the same node in graph
  BiasFormat bias = BiasFormat::kInt32;
  std::optional<graph::Centring> centring;
  RangeTable ranges;
  std::vector<LayerFit> layers;
  std::vector<Stage> stages;
};

// The reference with head_shift subtracted from the biases of its integer head: what the filters of
// Quantization::graph round. A centred head ends in a Relu, and of the values between 0 and the
// winners 8 bits need none. In float that would cost the winners that lie below.
graph::Graph lower_head(const graph::Graph& reference, double shift);

// graph: float, with outputs `level` and `fraction`, or `depth`. Throws Error when it holds grids
// already, a given range or a convolution's name is not in it, or calibrate() does.
Quantization quantize_graph(const graph::Graph& graph, const Contract& contract,
                            const Pictures& pictures, const QuantizeOptions& options);

}  // namespace dualdepth::quantize
