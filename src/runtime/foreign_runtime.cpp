#include "dualdepth/runtime/foreign_runtime.h"

#include <onnx/onnx_pb.h>

#include <memory>
#include <mutex>
#include <openvino/runtime/core.hpp>

#include "dualdepth/base/error.h"
#include "openvino_message.h"
#include "openvino_tensor.h"

namespace dualdepth {
namespace {

class ForeignNode {
 public:
  explicit ForeignNode(std::string model) : model_(std::move(model)) {
    onnx::ModelProto proto;
    if (proto.ParseFromString(model_) && proto.graph().node_size() == 1) {
      name_ = "node " + proto.graph().node(0).name() + " (" + proto.graph().node(0).op_type() + ")";
    }
  }

  torch::Tensor operator()(std::span<const torch::Tensor> inputs) {
    const std::scoped_lock lock(mutex_);
    try {
      compile();
      for (size_t i = 0; i < inputs.size(); ++i) {
        const auto packed = inputs[i].contiguous();
        const auto sizes = packed.sizes();
        const ov::Tensor view(element_type_of(packed.scalar_type()),
                              ov::Shape(sizes.begin(), sizes.end()), packed.mutable_data_ptr());
        ov::Tensor own(view.get_element_type(), view.get_shape());
        view.copy_to(own);
        request_.set_input_tensor(i, own);
      }
      request_.infer();
    } catch (const ov::Exception& error) {
      fail(error);
    }
    return copy_output(request_.get_output_tensor(0), name_);
  }

 private:
  void compile() {
    if (request_) return;
    ov::Core core;
    request_ = core.compile_model(model_, ov::Tensor(), "CPU",
                                  ov::hint::inference_precision(ov::element::f32))
                   .create_infer_request();
  }

  [[noreturn]] void fail(const ov::Exception& error) const {
    throw Error({.subject = name_,
                 .expected = "an operator that the network graph or OpenVINO knows",
                 .got = last_line(error.what()),
                 .fix = "docs/deployment.md lists the operators of the network graph"});
  }

  std::string model_;
  std::string name_ = "a foreign node";
  std::mutex mutex_;
  ov::InferRequest request_;
};

}  // namespace

ForeignRuntime openvino_foreign_runtime() {
  return [](const std::string& model) -> ForeignCompute {
    return [node = std::make_shared<ForeignNode>(model)](std::span<const torch::Tensor> inputs) {
      return (*node)(inputs);
    };
  };
}

}  // namespace dualdepth
