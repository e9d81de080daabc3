#pragma once

#include <torch/csrc/jit/api/module.h>

#include "dualdepth/graph/passes.h"
#include "dualdepth/model/depth_net.h"

namespace dualdepth {

// Records what the network does to a picture and freezes it: parameters become constants, batch
// norm disappears into the convolutions before it. Nothing of the picture's size is baked in: any
// [N, 3, H, W] with H and W multiples of 32 goes through. The head's filters become those of
// prediction_filters() (model/dense_prediction.h) first.
//
// forward(image) returns a dictionary of the outputs' names (see ModelOutputs): `level` (int64),
// `fraction`, `logits`, `depth`, `position`, `coordinates`, each [N, C, H, W]. Constants keep the
// names of the parameters that they came from.
//
// The network is changed (filters, no more gradients); hand over one of its own. With kLogits a
// head of any kind returns what it has before softmax, sigmoid or clip, and only a categorical one
// `fraction`; other outputs are those that require_outputs() allows.
torch::jit::Module trace_network(DepthNet net, const graph::OutputForm& form);

}  // namespace dualdepth
