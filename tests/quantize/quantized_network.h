#pragma once

#include <ATen/CPUGeneratorImpl.h>
#include <gtest/gtest.h>

#include "dualdepth/export/frozen_trace.h"
#include "dualdepth/export/graph_from_trace.h"
#include "dualdepth/graph/passes.h"
#include "dualdepth/quantize/quantize_graph.h"
#include "testing/narrow_model.h"
#include "testing/random_checkpoint.h"

namespace dualdepth::quantize {

inline torch::Tensor picture(size_t index) {
  // A generator of its own: calibration asks from several threads at once.
  const auto generator = at::detail::createCPUGenerator(index + 100);
  return torch::rand({1, 3, 32, 64}, generator);
}

// A network with random weights as a graph, with three pictures.
class QuantizedNetwork : public ::testing::Test {
 protected:
  explicit QuantizedNetwork(const ModelOptions& model = testing::narrow_model())
      : net_(testing::random_net(model)) {
    DataOptions data;
    data.image_shape = {32, 64};
    contract_ = contract_of(model, data, ModelOutputs::kLevels);
    graph_ = graph::with_outputs(graph::merge_affine(graph_from_trace(
                                     trace_network(net_, {ModelOutputs::kLogits}), {1, 3, 32, 64})),
                                 contract_.head_kind(), contract_.codec, {ModelOutputs::kLevels});
  }

  QuantizeOptions quick() const {
    QuantizeOptions options;
    options.round_adaptively = false;
    options.judged_pictures = 1;
    options.positions = 1000;
    return options;
  }

  DepthNet net_;
  Contract contract_;
  graph::Graph graph_;
  Pictures pictures_{3, picture};
};

}  // namespace dualdepth::quantize
