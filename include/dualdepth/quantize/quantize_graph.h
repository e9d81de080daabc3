#pragma once

#include <string>
#include <vector>

#include "dualdepth/quantize/apply_plan.h"
#include "dualdepth/quantize/layerwise.h"
#include "dualdepth/quantize/quantize_options.h"

namespace dualdepth::quantize {

struct Quantization {
  Plan plan;
  graph::Graph reference;  // float, with centring and equalization: the same function as before
  graph::Graph graph;      // quantized; what the plan decides, and what fitting found
  std::vector<graph::NodeId> renamed;  // node of reference -> the same node in graph
  std::vector<LayerFit> layers;
  std::vector<Stage> stages;
};

// Applies the plan (quantize/apply_plan.h) and then fits biases and filters as the options ask for
// (quantize/layerwise.h); what fitting finds is kept where it brings depth nearer to float's on
// options.judged_pictures of the pictures. Of the options only those that follow a plan count.
// Throws Error when expect_network_of() or apply_plan() does or there is no picture.
Quantization quantize_graph(const graph::Graph& network, const Plan& plan, const Contract& contract,
                            const Pictures& pictures, const QuantizeOptions& options);

// The same with the plan of choose_plan().
Quantization quantize_graph(const graph::Graph& network, const Contract& contract,
                            const Pictures& pictures, const QuantizeOptions& options);

}  // namespace dualdepth::quantize
