#pragma once

#include <string>
#include <vector>

#include "dualdepth/quantize/calibration.h"
#include "dualdepth/quantize/placement.h"
#include "dualdepth/quantize/weight_grid.h"

namespace dualdepth::quantize {

struct LayerwiseOptions {
  bool correct_bias = true;
  bool round_adaptively = true;
  size_t pictures = 12;      // of calibration, evenly spread
  int64_t positions = 9216;  // most output pixels sampled of each layer, over all pictures
  uint64_t seed = 0;
  BiasFormat bias = BiasFormat::kInt32;
};

// What became of one convolution.
struct LayerFit {
  std::string name;
  double error_before = 0;  // mean square of what is passed on, relative to its variance, on
  double error_after = 0;   //   positions that were not fitted to
  bool bias_corrected = false;
  bool rounded = false;
};

struct LayerwiseResult {
  graph::Graph graph;
  std::vector<LayerFit> layers;
};

// Fits each convolution of a graph with grids in turn, against what the float graph says at sampled
// output pixels, with the inputs that the layers before it give after their own quantization:
//
//   weights  rounded to nearest, or adaptively (adaptive_rounding.h), or adaptively after a refit
//   bias     plus the mean of what is missing behind the Relu or Clip (Nagel et al., Data-Free
//            Quantization Through Weight Equalization and Bias Correction, 2019)
//
// A layer whose maps have fewer pixels is fitted to all of them. A fifth of the positions is held
// back; a change is kept only where it lowers the error there.
//
// reference: the float graph; gridded: the same with grids and rounded filters (quantize_weights).
// Memory: 8-bit maps of `pictures` pictures, no more than the network needs at a time.
LayerwiseResult fit_layers(const graph::Graph& reference, const GriddedGraph& gridded,
                           const Pictures& pictures, const LayerwiseOptions& options);

}  // namespace dualdepth::quantize
