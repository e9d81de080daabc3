#include "dualdepth/runtime/network_predictor.h"

#include "dualdepth/model/dense_prediction.h"

namespace dualdepth {

NetworkPredictor::NetworkPredictor(DepthNet net, const DataOptions& data, c10::Device device)
    : DensePredictor(
          [net](const torch::Tensor& image) mutable { return predict_dense(net, image); },
          {.model = net->options(), .image_shape = data.image_shape, .kb_crop = data.kb_crop},
          device) {
  net->to(device);
  net->prepare_for_prediction();
}

}  // namespace dualdepth
