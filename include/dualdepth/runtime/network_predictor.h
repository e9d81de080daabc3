#pragma once

#include <c10/core/Device.h>

#include "dualdepth/config/data_options.h"
#include "dualdepth/model/depth_net.h"
#include "dualdepth/runtime/dense_predictor.h"

namespace dualdepth {

// Predicts with a network in memory, a trainer's for validation or a checkpoint's. With
// data.kb_crop the network sees the benchmark crop of each picture that is large enough, as it did
// in training.
class NetworkPredictor : public DensePredictor {
 public:
  // Moves the network to the device and prepares it for prediction (see DepthNet): a trainer calls
  // net->train() again afterwards.
  NetworkPredictor(DepthNet net, const DataOptions& data, c10::Device device);
};

}  // namespace dualdepth
