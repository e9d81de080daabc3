#include "dualdepth/runtime/network_predictor.h"

#include "dualdepth/model/dense_prediction.h"

namespace dualdepth {
NetworkPredictor::NetworkPredictor(DepthNet net, const DataOptions& data, c10::Device device)
    : DensePredictor(
          [net](const torch::Tensor& image) mutable { return predict_dense(net, image); },
          contract_of(net->options(), data, outputs_of(net->options()).front()), device) {
  net->to(device);
  net->prepare_for_prediction();
}

}  // namespace dualdepth
