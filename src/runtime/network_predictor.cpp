#include "dualdepth/runtime/network_predictor.h"

#include "dualdepth/model/dense_prediction.h"

namespace dualdepth {
namespace {

ModelOutputs checkpoint_outputs(const ModelOptions& model) {
  return model.params.use_dual_head ? ModelOutputs::kLevels : ModelOutputs::kDepth;
}

}  // namespace

NetworkPredictor::NetworkPredictor(DepthNet net, const DataOptions& data, c10::Device device)
    : DensePredictor(
          [net](const torch::Tensor& image) mutable { return predict_dense(net, image); },
          contract_of(net->options(), data, checkpoint_outputs(net->options())), device) {
  net->to(device);
  net->prepare_for_prediction();
}

}  // namespace dualdepth
