#pragma once

#include <cstdint>
#include <functional>
#include <span>
#include <vector>

#include "dualdepth/config/contract.h"
#include "dualdepth/graph/graph.h"
#include "dualdepth/graph/pictures.h"
#include "dualdepth/graph/run_graph.h"
#include "dualdepth/model/dense_prediction.h"

namespace dualdepth::quantize {

// How far one graph's depth is from another's, over all pixels of some pictures.
struct DepthError {
  double mean = 0;      // of |difference|, m
  double median = 0;    // m, to 0.1 mm
  double relative = 0;  // mean of |difference| / greater of both: 0..1, so that no pixel outweighs
                        //   all others
  double equal_levels = 0;  // share of pixels; 0 without an integer head
  double level_shift = 0;   // mean of level - reference level
};

// Whatever says depth of a picture [1, 3, H, W].
using DepthOf = std::function<DensePrediction(const torch::Tensor& image)>;

// A graph computed in LibTorch (run_graph). contract: of the graph's outputs. The graph must
// outlive the function returned.
DepthOf depth_of(const graph::Graph& graph, const Contract& contract,
                 graph::ValueObserver observe = {});

// A graph's error against something outside, such as abs_rel against ground truth; from 0 on.
using ErrorOf = std::function<double(const graph::Graph&)>;

// Which of two such numbers is the better one: of an error the lower, of an accuracy the higher.
enum class Better { kLower, kHigher };

std::vector<DensePrediction> predict_all(const DepthOf& depth_of, const graph::Pictures& pictures);

// Of predictions of the same pictures in the same order.
DepthError depth_error(std::span<const DensePrediction> said,
                       std::span<const DensePrediction> wanted);

}  // namespace dualdepth::quantize
