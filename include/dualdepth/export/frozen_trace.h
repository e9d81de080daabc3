#pragma once

#include <torch/csrc/jit/api/module.h>

#include "dualdepth/config/export_options.h"
#include "dualdepth/model/depth_net.h"

namespace dualdepth {

// Records what the network does to a picture and freezes it: parameters become constants, batch
// norm disappears into the convolutions before it. Nothing of the picture's size is baked in: any
// [N, 3, H, W] with H and W multiples of 32 goes through. model.head.level_smoothing is laid into
// the integer head's filters first.
//
// forward(image) returns a dictionary of the outputs' names (see ModelOutputs): `level` (int64),
// `fraction`, `logits`, `depth`, each [N, C, H, W]. Constants keep the names of the parameters that
// they came from.
//
// The network is changed (smoothing, no more gradients); hand over one of its own. Throws Error
// when a network with one head is asked for levels; its `logits` are those of the one sigmoid.
torch::jit::Module trace_network(DepthNet net, ModelOutputs outputs);

}  // namespace dualdepth
