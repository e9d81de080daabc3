#include "dualdepth/onnx/onnx_writer.h"

#include <fmt/format.h>
#include <onnx/defs/schema.h>
#include <onnx/onnx_pb.h>

#include <algorithm>
#include <map>
#include <set>

#include "dualdepth/base/error.h"
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

constexpr const char* kMicrosoftDomain = "com.microsoft";

struct Versions {
  int64_t ir, opset;
};

// The IR version that came with an opset of the standard.
int64_t ir_of(int64_t opset) {
  if (opset <= 13) return 7;
  return opset <= 18 ? 8 : opset <= 20 ? 9 : 10;
}

// The newest version of an operator up to this opset; 0 for one that is not in the standard.
int version_of(const std::string& type, int64_t opset) {
  const auto* schema = onnx::OpSchemaRegistry::Schema(type, static_cast<int>(opset), "");
  return schema == nullptr ? 0 : schema->SinceVersion();
}

int64_t opset_of(const onnx::ModelProto& model, const std::string& domain) {
  for (const auto& import : model.opset_import()) {
    if (import.domain() == domain) return import.version();
  }
  return 0;
}

// That of the options, or that of the file which foreign nodes come from where its version of one
// of them is another.
Versions versions_of(const Graph& graph, const OnnxOptions& options) {
  const OnnxProfile profile = options.profile;
  const int64_t opset = std::max<int64_t>(options.opset, 13);
  Versions versions = profile == OnnxProfile::kNpu ? Versions{4, 9} : Versions{ir_of(opset), opset};
  for (const Node& node : graph.nodes()) {
    const auto* foreign = std::get_if<Foreign>(&node.operation);
    if (foreign == nullptr) continue;
    onnx::ModelProto model;
    TORCH_CHECK(model.ParseFromString(foreign->model), "a model that was made of the node");
    if (!model.graph().node(0).domain().empty()) continue;
    const int64_t own = opset_of(model, "");
    if (version_of(foreign->type, own) == version_of(foreign->type, versions.opset)) continue;
    if (own < versions.opset || profile == OnnxProfile::kNpu) {
      throw Error({.subject = "node " + model.graph().node(0).name(),
                   .expected = fmt::format("an operator that is the same in opset {}, which the "
                                           "profile has",
                                           versions.opset),
                   .got = fmt::format("{} of opset {}", foreign->type, own),
                   .fix = "export the file for another opset"});
    }
    versions = {ir_of(own), own};
  }
  return versions;
}

// Other domains of foreign nodes.
void add_domains(const Graph& graph, onnx::ModelProto& model) {
  std::set<std::string> known;
  for (const auto& import : model.opset_import()) known.insert(import.domain());
  for (const Node& node : graph.nodes()) {
    const auto* foreign = std::get_if<Foreign>(&node.operation);
    onnx::ModelProto alone;
    if (foreign == nullptr || !alone.ParseFromString(foreign->model)) continue;
    const std::string& domain = alone.graph().node(0).domain();
    if (!known.insert(domain).second) continue;
    auto* import = model.add_opset_import();
    import->set_domain(domain);
    import->set_version(opset_of(alone, domain));
  }
}

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

class Writer : public graph::NodeWriter {
 public:
  Writer(const Graph& graph, const OnnxOptions& options, int64_t opset, onnx::GraphProto& out)
      : graph_(graph),
        options_(options),
        out_(out),
        opset_(opset),
        names_(node_names(graph)),
        values_(value_names(graph)) {}

  void write_all() {
    for (id_ = 0; id_ < graph_.nodes().size(); ++id_) {
      const Node& node = graph_.node(id_);
      if (const auto* input = std::get_if<Input>(&node.operation)) {
        write_input(*input);
      } else {
        entry_of(node.operation).write(node.operation, *this);
      }
    }
    for (const Output& output : graph_.outputs()) {
      auto* value = out_.add_output();
      value->set_name(output.name);
      set_shape(*value, type_of(output.node), graph_.node(output.node).shape, options_.dynamic);
    }
  }

  const Graph& graph() const override { return graph_; }
  NodeId id() const override { return id_; }
  OnnxProfile profile() const override { return options_.profile; }
  int64_t opset() const override { return opset_; }
  std::string name() const override { return names_[id_].substr(1); }
  std::string input(size_t i) const override { return values_[graph_.node(id_).inputs[i]]; }

  void make(const WrittenNode& node) override { add(node, names_[id_], values_[id_]); }

  std::string begin(const WrittenNode& node, const char* suffix) override {
    const std::string value = names_[id_] + suffix;
    add(node, names_[id_], value);
    return value;
  }

  void end(const WrittenNode& node, const char* suffix) override {
    add(node, names_[id_] + suffix, values_[id_]);
  }

  std::string step(const WrittenNode& node) override {
    const std::string name = fmt::format("{}/{}_{}", names_[id_], node.type, ++steps_);
    add(node, name, name + "_output_0");
    return name + "_output_0";
  }

  // The step that makes it is one of the last; an initializer keeps its name.
  void finish(const std::string& value) override {
    for (int i = out_.node_size() - 1; i >= 0; --i) {
      if (out_.node(i).output(0) == value) {
        out_.mutable_node(i)->set_output(0, values_[id_]);
        return;
      }
    }
    add({"Identity", {value}}, names_[id_], values_[id_]);
  }

  void make_foreign(const Foreign& foreign) override {
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
    node.set_name(names_[id_]);
    for (auto& value : *node.mutable_input()) value = renamed.at(value);
    for (int i = 0; i < node.output_size(); ++i) {
      const bool own = static_cast<size_t>(i) == foreign.output;
      *node.mutable_output(i) = own ? values_[id_] : fmt::format("{}_unused_{}", names_[id_], i);
    }
  }

  std::string constant(const std::string& name, const torch::Tensor& tensor,
                       const std::vector<int64_t>& shape) override {
    const std::string unique = unique_name(name);
    set_tensor(*out_.add_initializer(), unique, tensor, shape);
    return unique;
  }

 private:
  std::string unique_name(const std::string& name) {
    std::string unique = name;
    for (int i = 1; !constants_.insert(unique).second; ++i) unique = fmt::format("{}_{}", name, i);
    return unique;
  }

  int type_of(NodeId id) const {
    const auto type = graph_.node(id).type;
    const bool index = type == torch::kInt64 && options_.profile == OnnxProfile::kOpenVino;
    return index ? static_cast<int>(onnx::TensorProto::INT32) : element_type_of(type);
  }

  void add(const WrittenNode& written, const std::string& name, const std::string& output) {
    auto* node = out_.add_node();
    node->set_op_type(written.type);
    node->set_name(name);
    for (const auto& input : written.inputs) node->add_input(input);
    node->add_output(output);
    for (const auto& attribute : written.attributes) add_attribute(*node, attribute);
    if (written.domain != nullptr) node->set_domain(written.domain);
  }

  void write_input(const Input& input) {
    values_[id_] = input.name;
    auto* value = out_.add_input();
    value->set_name(input.name);
    set_shape(*value, type_of(id_), graph_.node(id_).shape, options_.dynamic);
  }

  const Graph& graph_;
  OnnxOptions options_;
  onnx::GraphProto& out_;
  int64_t opset_;
  std::vector<std::string> names_;   // of nodes
  std::vector<std::string> values_;  // of their values
  std::set<std::string> constants_;
  NodeId id_ = 0;
  int steps_ = 0;
};

}  // namespace

std::vector<std::string> value_names(const Graph& graph) {
  std::vector<std::string> names = node_names(graph);
  for (NodeId id = 0; id < names.size(); ++id) {
    if (!std::holds_alternative<Input>(graph.node(id).operation)) names[id] += "_output_0";
  }
  for (const Output& output : graph.outputs()) names[output.node] = output.name;
  return names;
}

std::string graph_bytes(const graph::Graph& graph) {
  onnx::GraphProto bytes;
  constexpr int64_t kOpset = 21;  // has all operators
  Writer(graph, {.dynamic = true}, kOpset, bytes).write_all();
  return bytes.SerializeAsString();
}

std::unique_ptr<onnx::ModelProto> to_onnx(const graph::Graph& graph, const OnnxOptions& options) {
  auto model = std::make_unique<onnx::ModelProto>();
  const Versions versions = versions_of(graph, options);
  model->set_ir_version(versions.ir);
  model->set_producer_name("dualdepth");
  model->set_doc_string(
      "Metric depth from one camera: RGB in 0..1 in, metres or what makes them out");
  auto* opset = model->add_opset_import();
  opset->set_domain("");
  opset->set_version(versions.opset);
  add_domains(graph, *model);
  model->mutable_graph()->set_name("dualdepth");
  Writer(graph, options, versions.opset, *model->mutable_graph()).write_all();
  const auto& nodes = model->graph().node();
  const auto& imports = model->opset_import();
  const auto is_microsoft = [](const auto& part) { return part.domain() == kMicrosoftDomain; };
  if (std::ranges::any_of(nodes, is_microsoft) && std::ranges::none_of(imports, is_microsoft)) {
    auto* domain = model->add_opset_import();
    domain->set_domain(kMicrosoftDomain);
    domain->set_version(1);
  }
  for (const auto& [key, value] : options.metadata) {
    auto* entry = model->add_metadata_props();
    entry->set_key(key);
    entry->set_value(value);
  }
  return model;
}

}  // namespace dualdepth
