#pragma once

#include <string>

#include "dualdepth/graph/graph.h"

namespace dualdepth::graph {

// One line a node: name, shape of its value, parameters, multiply-accumulates, what it reads; then
// the outputs and the sums.
std::string graph_text(const Graph& graph);

// The same as a picture: boxes from top to bottom in the order of running, coloured by kind, lines
// along the side where a value skips nodes.
std::string graph_svg(const Graph& graph);

}  // namespace dualdepth::graph
