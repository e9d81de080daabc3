#pragma once

#include <torch/types.h>

#include <cstdint>
#include <optional>

#include "dualdepth/graph/graph.h"
#include "dualdepth/quantize/layerwise.h"

namespace dualdepth::quantize {

// Output pixels y * W + x of one picture, drawn for one layer in random order: `count` different
// ones, or all where there are no more. shape: of the layer's output, [N, O, H, W].
torch::Tensor draw_positions(const graph::Shape& shape, int64_t count, uint64_t seed,
                             graph::NodeId layer, size_t picture);

// What the convolution reads at output pixels: [P, C kh kw] in the order of its weight. in: one
// picture.
torch::Tensor input_patches(const graph::Conv& conv, const torch::Tensor& in, int64_t out_width,
                            const torch::Tensor& positions);

// Filters as rows, [O, C kh kw].
torch::Tensor filter_rows(const torch::Tensor& weight);

// Inputs [P, C kh kw] and expected outputs [P, O] of one layer; the last fifth of the rows is held
// out. Of fewer than five rows, all are fitted to and the error is measured on all.
struct LayerSamples {
  torch::Tensor inputs, targets;
  std::optional<graph::Clip> clamp = {};  // the Relu or Clip that is the only consumer of the layer

  torch::Tensor fitted_inputs() const { return inputs.slice(0, 0, fitted_end()); }
  torch::Tensor fitted_targets() const { return targets.slice(0, 0, fitted_end()); }
  torch::Tensor held_inputs() const { return inputs.slice(0, held_begin()); }
  torch::Tensor held_targets() const { return targets.slice(0, held_begin()); }

 private:
  bool is_split() const { return inputs.size(0) >= 5; }
  int64_t fitted_end() const { return is_split() ? inputs.size(0) * 4 / 5 : inputs.size(0); }
  int64_t held_begin() const { return is_split() ? inputs.size(0) * 4 / 5 : 0; }
};

// What a convolution's bias is stored in.
struct BiasGrid {
  std::optional<float> input_scale = {};  // of the value that the convolution reads
  BiasFormat format = BiasFormat::kInt32;
};

// Returns `nearest` with the filters and bias, of those that the options allow, whose outputs on
// the samples that are held out lie nearest to the targets, and describes them in `report`.
// nearest: on its grid, filters rounded to nearest; float_weight: what they were rounded from.
graph::Conv fit_layer(const graph::Conv& nearest, const torch::Tensor& float_weight,
                      const BiasGrid& bias, const LayerwiseOptions& options,
                      const LayerSamples& samples, LayerFit& report);

}  // namespace dualdepth::quantize
