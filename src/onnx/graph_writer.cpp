#include "graph_writer.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>

#include "dualdepth/graph/filters.h"
#include "dualdepth/graph/operator_table.h"
#include "onnx_tensor.h"

namespace dualdepth {
namespace {

using graph::Foreign;
using graph::Graph;
using graph::Input;
using graph::NamedAttribute;
using graph::Node;
using graph::NodeId;
using graph::Output;
using graph::Shape;
using graph::WrittenNode;

void set_shape(onnx::ValueInfoProto& value, int type, const Shape& shape, bool dynamic) {
  auto* tensor = value.mutable_type()->mutable_tensor_type();
  tensor->set_elem_type(type);
  constexpr std::array kNames{"batch", "", "height", "width"};
  for (size_t i = 0; i < shape.size(); ++i) {
    auto* dimension = tensor->mutable_shape()->add_dim();
    if (dynamic && i != 1 && i < kNames.size()) {
      dimension->set_dim_param(kNames[i]);
    } else {
      dimension->set_dim_value(shape[i]);
    }
  }
}

void add_attribute(onnx::NodeProto& node, const NamedAttribute& attribute) {
  std::visit(
      [&](const auto& value) {
        using T = std::decay_t<decltype(value)>;
        if constexpr (std::is_same_v<T, torch::Tensor> ||
                      std::is_same_v<T, std::vector<std::string>>) {
          TORCH_CHECK(false, "attributes that are numbers or text");
        } else {
          set_attribute(node, std::string(attribute.name), value);
        }
      },
      attribute.value);
}

}  // namespace

int64_t quantized_opset(const Graph& graph, OnnxProfile profile) {
  constexpr int64_t kNpuOpset = 9;
  constexpr int64_t kPerTensorOpset = 10;
  constexpr int64_t kPerChannelOpset = 13;
  if (profile == OnnxProfile::kNpu) return kNpuOpset;
  const bool per_channel = std::ranges::any_of(graph.nodes(), [](const Node& node) {
    const auto filters = graph::filters_of(node.operation);
    return filters && filters->weight_scale.defined() && filters->weight_scale.numel() > 1;
  });
  return per_channel ? kPerChannelOpset : kPerTensorOpset;
}

void add_quantizer_domain(onnx::ModelProto& model) {
  constexpr const char* kMicrosoftDomain = "com.microsoft";
  const auto is_of_it = [](const auto& part) { return part.domain() == kMicrosoftDomain; };
  if (std::ranges::none_of(model.graph().node(), is_of_it) ||
      std::ranges::any_of(model.opset_import(), is_of_it)) {
    return;
  }
  auto* import = model.add_opset_import();
  import->set_domain(kMicrosoftDomain);
  import->set_version(1);
}

GraphWriter::GraphWriter(const Graph& graph, const OnnxOptions& options, int64_t opset,
                         FileNames& names, onnx::GraphProto& out)
    : graph_(graph), options_(options), out_(out), opset_(opset), names_(names) {}

void GraphWriter::write_all() {
  for (NodeId id = 0; id < graph_.nodes().size(); ++id) {
    if (const auto* input = std::get_if<Input>(&graph_.node(id).operation)) {
      id_ = id;
      write_input(*input);
    } else {
      write(id);
    }
  }
  for (const Output& output : graph_.outputs()) {
    auto* value = out_.add_output();
    value->set_name(output.name);
    set_shape(*value, type_of(output.node), graph_.node(output.node).shape, options_.dynamic);
  }
}

void GraphWriter::write(NodeId id) {
  id_ = id;
  const auto& operation = graph_.node(id).operation;
  entry_of(operation).write(operation, *this);
}

std::string GraphWriter::name() const {
  const std::string& name = names_.nodes[id_];
  return name.starts_with('/') ? name.substr(1) : name;
}

void GraphWriter::make(const WrittenNode& node) {
  add(node, names_.nodes[id_], names_.values[id_]);
}

std::string GraphWriter::begin(const WrittenNode& node, const char* suffix) {
  const std::string value = names_.nodes[id_] + suffix;
  add(node, names_.nodes[id_], value);
  return value;
}

void GraphWriter::end(const WrittenNode& node, const char* suffix) {
  add(node, names_.nodes[id_] + suffix, names_.values[id_]);
}

std::string GraphWriter::step(const WrittenNode& node) {
  const std::string name = fmt::format("{}/{}_{}", names_.nodes[id_], node.type, ++steps_);
  add(node, name, name + "_output_0");
  return name + "_output_0";
}

// The step that makes it is one of the last; an initializer keeps its name.
void GraphWriter::finish(const std::string& value) {
  for (int i = out_.node_size() - 1; i >= 0; --i) {
    if (out_.node(i).output(0) == value) {
      out_.mutable_node(i)->set_output(0, names_.values[id_]);
      return;
    }
  }
  add({"Identity", {value}}, names_.nodes[id_], names_.values[id_]);
}

void GraphWriter::make_foreign(const Foreign& foreign) {
  onnx::ModelProto model;
  TORCH_CHECK(model.ParseFromString(foreign.model), "a model that was made of the node");
  std::map<std::string, std::string> renamed{{"", ""}};
  for (const auto& tensor : model.graph().initializer()) {
    const auto unique = unique_name(fmt::format("{}.{}", name(), tensor.name()));
    auto& proto = *out_.add_initializer();
    proto = tensor;
    proto.set_name(unique);
    renamed[tensor.name()] = unique;
  }
  for (int i = 0; i < model.graph().input_size(); ++i) {
    renamed[model.graph().input(i).name()] = input(static_cast<size_t>(i));
  }
  auto& node = *out_.add_node();
  node = model.graph().node(0);
  node.set_name(names_.nodes[id_]);
  for (auto& value : *node.mutable_input()) value = renamed.at(value);
  for (int i = 0; i < node.output_size(); ++i) {
    const bool own = static_cast<size_t>(i) == foreign.output;
    *node.mutable_output(i) =
        own ? names_.values[id_] : fmt::format("{}_unused_{}", names_.nodes[id_], i);
  }
}

std::string GraphWriter::constant(const std::string& name, const torch::Tensor& tensor,
                                  const std::vector<int64_t>& shape) {
  const std::string unique = unique_name(name);
  set_tensor(*out_.add_initializer(), unique, tensor, shape);
  return unique;
}

std::string GraphWriter::unique_name(const std::string& name) {
  std::string unique = name;
  for (int i = 1; !names_.taken.insert(unique).second; ++i) unique = fmt::format("{}_{}", name, i);
  return unique;
}

int GraphWriter::type_of(NodeId id) const {
  const auto type = graph_.node(id).type;
  const bool index = type == torch::kInt64 && options_.profile == OnnxProfile::kOpenVino;
  return index ? static_cast<int>(onnx::TensorProto::INT32) : element_type_of(type);
}

void GraphWriter::add(const WrittenNode& written, const std::string& name,
                      const std::string& output) {
  auto* node = out_.add_node();
  node->set_op_type(written.type);
  node->set_name(name);
  for (const auto& input : written.inputs) node->add_input(input);
  node->add_output(output);
  for (const auto& attribute : written.attributes) add_attribute(*node, attribute);
  if (written.domain != nullptr) node->set_domain(written.domain);
}

void GraphWriter::write_input(const Input& input) {
  auto* value = out_.add_input();
  value->set_name(input.name);
  set_shape(*value, type_of(id_), graph_.node(id_).shape, options_.dynamic);
}

}  // namespace dualdepth
