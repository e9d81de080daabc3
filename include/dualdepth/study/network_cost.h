#pragma once

#include <cstdint>
#include <nlohmann/json.hpp>

#include "dualdepth/graph/graph.h"

namespace dualdepth::study {

// What one picture costs a network.
struct NetworkCost {
  int64_t parameters = 0;         // of the whole network
  int64_t macs = 0;               // multiply-accumulates of the whole network
  int64_t head_macs = 0;          // of its heads only: modules named head_<scale>
  int64_t handed_out_bytes = 0;   // what leaves the chip, for the host to make metres of
  int64_t handed_out_values = 0;  // the numbers that these bytes hold
};

// Counts them in a quantized graph. Of an output the host computes what comes after the last value
// that is quantized or is an index: a value of b bits has b / 8 bytes a number, the index of an
// ArgMax over up to 256 channels one byte, over more two, and a float value four.
NetworkCost network_cost(const graph::Graph& graph);

nlohmann::ordered_json to_json(const NetworkCost& cost);
NetworkCost network_cost_from(const nlohmann::json& json);

}  // namespace dualdepth::study
