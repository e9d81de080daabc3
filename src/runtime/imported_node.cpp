#include "imported_node.h"

#include <onnx/onnx_pb.h>

#include <openvino/op/parameter.hpp>
#include <openvino/op/result.hpp>

#include "dualdepth/base/error.h"
#include "dualdepth/onnx/onnx_writer.h"
#include "openvino_message.h"

namespace dualdepth {
namespace {

// The sizes that are known of the values that the model's inputs stand for; all others are open.
void set_sizes(onnx::ModelProto& model, const ov::OutputVector& inputs) {
  auto& graph = *model.mutable_graph();
  for (int i = 0; i < graph.input_size(); ++i) {
    const auto& shape = inputs.at(static_cast<size_t>(i)).get_partial_shape();
    auto* sizes = graph.mutable_input(i)->mutable_type()->mutable_tensor_type()->mutable_shape();
    sizes->Clear();
    for (const auto& size : shape) {
      auto* written = sizes->add_dim();
      if (size.is_static()) written->set_dim_value(size.get_length());
    }
  }
  for (auto& output : *graph.mutable_output()) {
    output.mutable_type()->mutable_tensor_type()->clear_shape();
  }
}

}  // namespace

std::string written_alone(const graph::Graph& graph, graph::NodeId id) {
  const graph::Node& node = graph.node(id);
  graph::Graph only;
  std::vector<graph::NodeId> inputs;
  inputs.reserve(node.inputs.size());
  for (const graph::NodeId input : node.inputs) {
    inputs.push_back(only.add_input("input_" + std::to_string(inputs.size()),
                                    graph.node(input).shape, graph.node(input).type));
  }
  only.set_outputs({{"value", only.add(node.operation, inputs, "")}});
  return to_onnx(only, {})->SerializeAsString();
}

ov::Output<ov::Node> import_node(ov::Core& core, const std::string& onnx_model,
                                 const ov::OutputVector& inputs, const std::string& name) {
  onnx::ModelProto proto;
  if (!proto.ParseFromString(onnx_model)) throw std::logic_error("no ONNX model of " + name);
  set_sizes(proto, inputs);
  try {
    const auto model = core.read_model(proto.SerializeAsString(), ov::Tensor());
    const auto& parameters = model->get_parameters();
    auto value = model->get_results().at(0)->input_value(0);
    for (size_t i = 0; i < parameters.size(); ++i) {
      if (value.get_node() == parameters[i].get()) return inputs.at(i);
      for (auto& reader : parameters[i]->output(0).get_target_inputs()) {
        reader.replace_source_output(inputs.at(i));
      }
    }
    return value;
  } catch (const ov::Exception& error) {
    throw Error({.subject = name,
                 .expected = "an operator that the network graph or OpenVINO knows",
                 .got = last_line(error.what()),
                 .fix = "docs/deployment.md lists the operators of the network graph"});
  }
}

}  // namespace dualdepth
