#include "dualdepth/onnx/quantized_copy.h"

#include <fmt/format.h>
#include <onnx/onnx_pb.h>

#include <algorithm>
#include <map>
#include <optional>
#include <set>

#include "dualdepth/base/error.h"
#include "dualdepth/graph/filters.h"
#include "file_nodes.h"
#include "graph_writer.h"
#include "onnx_tensor.h"
#include "onnx_view.h"

namespace dualdepth {
namespace {

using graph::FakeQuantize;
using graph::Graph;
using graph::Node;
using graph::NodeId;

// What the writer makes of a node, without names.
std::string written_alone(const Graph& graph, NodeId id, const OnnxOptions& options, int64_t opset,
                          FileNames& placeholders) {
  onnx::GraphProto alone;
  placeholders.taken.clear();
  GraphWriter(graph, options, opset, placeholders, alone).write(id);
  for (auto& tensor : *alone.mutable_initializer()) tensor.clear_name();
  for (auto& node : *alone.mutable_node()) {
    node.clear_name();
    for (auto& input : *node.mutable_input()) input.clear();
    for (auto& output : *node.mutable_output()) output.clear();
  }
  return alone.SerializeAsString();
}

// Moves external data into the tensor: the copy may lie in another folder.
void embed(onnx::TensorProto& tensor, const std::filesystem::path& file) {
  if (tensor.data_location() != onnx::TensorProto::EXTERNAL) return;
  const std::vector<int64_t> shape(tensor.dims().begin(), tensor.dims().end());
  const std::string name = tensor.name();
  const auto numbers = to_torch(tensor, file);
  if (!numbers) throw Obstacle{fmt::format("tensor {} holds no numbers", name)};
  tensor.Clear();
  set_tensor(tensor, name, *numbers, shape);
}

class Copier {
 public:
  Copier(const OnnxFile& file, const Graph& original, const Graph& quantized,
         const OnnxOptions& options)
      : file_(file),
        original_(original),
        quantized_(quantized),
        options_(options),
        nodes_(file.model().graph()),
        raised_from_(OnnxView(file).opset("")),
        opset_(std::max(raised_from_, quantized_opset(quantized, options.profile))),
        writer_(quantized, options, opset_, names_, added_) {
    for (NodeId id = 0; id < original.nodes().size(); ++id) {
      if (!original.node(id).file_value.empty()) originals_[original.node(id).file_value] = id;
    }
    const size_t most = std::max(original.nodes().size(), quantized.nodes().size());
    placeholders_.nodes.resize(most, "node");
    placeholders_.values.resize(most, "value");
  }

  QuantizedCopy run() {
    QuantizedCopy copy;
    expect_profile();
    expect_input();
    choose_names();
    for (NodeId id = 0; id < quantized_.nodes().size(); ++id) {
      if (is_of_file(id)) place(id);
    }
    for (const auto& output : quantized_.outputs()) need(output.node);
    copy.model = std::make_unique<onnx::ModelProto>(file_.model());
    choose_outputs(*copy.model->mutable_graph(), copy.notes);
    assemble(*copy.model);
    if (opset_ > raised_from_) {
      copy.notes.push_back(fmt::format("opset raised from {} to {}, which QuantizeLinear needs{}",
                                       raised_from_, opset_,
                                       opset_ < 13 ? "" : " with a scale for each filter"));
    }
    copy.value_names = names_.values;
    return copy;
  }

 private:
  bool is_quantizer(NodeId id) const {
    return std::holds_alternative<FakeQuantize>(quantized_.node(id).operation);
  }
  bool is_input(NodeId id) const {
    return std::holds_alternative<graph::Input>(quantized_.node(id).operation);
  }
  bool is_of_file(NodeId id) const {
    return !is_input(id) && !is_quantizer(id) &&
           originals_.contains(quantized_.node(id).file_value);
  }
  std::vector<int> part_of(NodeId id) const {
    return nodes_.between(quantized_.node(id).file_value, originals_);
  }

  void expect_profile() const {
    const int64_t needed = quantized_opset(quantized_, OnnxProfile::kNpu);
    if (options_.profile != OnnxProfile::kNpu || opset_ == needed) return;
    throw Obstacle{fmt::format("profile npu needs opset {}, the file has {}", needed, opset_)};
  }

  void expect_input() {
    const auto& name = std::get<graph::Input>(quantized_.input().operation).name;
    for (const auto& input : file_.model().graph().input()) {
      if (input.name() != name) continue;
      const auto& shape = input.type().tensor_type().shape();
      is_dynamic_ = !std::ranges::all_of(
          shape.dim(), [](const auto& dimension) { return dimension.has_dim_value(); });
      if (shape.dim_size() > 0 && shape.dim(0).has_dim_value() &&
          shape.dim(0).dim_value() != quantized_.input().shape.at(0)) {
        throw Obstacle{"it takes another number of pictures"};
      }
    }
  }

  std::string unique(const std::string& name) {
    std::string unique = name;
    for (int i = 1; !names_.taken.insert(unique).second; ++i) {
      unique = fmt::format("{}_{}", name, i);
    }
    return unique;
  }

  // The node of the file that a node of the graph was read from.
  const onnx::NodeProto& main_node(NodeId id) const {
    const Node& node = quantized_.node(id);
    return nodes_.main_of(part_of(id), graph::kind_name(node.operation), node.file_value);
  }

  void choose_names() {
    names_.taken = nodes_.all_names();
    const auto own = graph::node_names(quantized_);
    names_.nodes.resize(own.size());
    names_.values.resize(own.size());
    std::set<std::string> mains;  // a node of several values has several nodes in the graph
    for (NodeId id = 0; id < own.size(); ++id) {
      const Node& node = quantized_.node(id);
      if (is_input(id)) {
        names_.nodes[id] = names_.values[id] = own[id];
      } else if (is_of_file(id)) {
        names_.values[id] = node.file_value;
        const std::string& name = main_node(id).name();
        const bool is_taken = name.empty() || !mains.insert(name).second;
        names_.nodes[id] = is_taken ? unique(node.file_value) : name;
      } else {
        const std::string base =
            is_quantizer(id) ? names_.values[node.inputs[0]] + "/FakeQuantize" : own[id];
        names_.nodes[id] = unique(base);
        names_.values[id] = unique(names_.nodes[id] + "_output_0");
      }
    }
    for (const auto& output : quantized_.outputs()) name_output(output);
  }

  // Codes that are an output get its name, and the float value in front of them another. What the
  // graph computes of the file's outputs, levels of logits, are new outputs.
  void name_output(const graph::Output& output) {
    const NodeId id = output.node;
    const bool is_own = is_input(id) || is_of_file(id);
    const auto& all = file_.model().graph().output();
    if (std::ranges::none_of(all, [&](const auto& o) { return o.name() == output.name; })) {
      if (is_own || !names_.taken.insert(output.name).second) {
        throw Obstacle{"it has no output " + output.name};
      }
      add_output(output);
    } else if (is_own) {
      return;
    } else if (const auto before = std::ranges::find(names_.values, output.name);
               before != names_.values.end()) {
      *before = unique(output.name + "_float");
      nodes_.rename(output.name, *before);
    } else {
      nodes_.replace(output.name, unique(output.name + "_unused"));
    }
    if (!named_.insert(id).second) {
      throw Obstacle{fmt::format("output {} is the same as another one", output.name)};
    }
    names_.values[id] = output.name;
  }

  // Sizes that depend on the picture's are those that ONNX infers.
  void add_output(const graph::Output& output) {
    const Node& node = quantized_.node(output.node);
    auto& value = *added_.add_output();
    value.set_name(output.name);
    auto* type = value.mutable_type()->mutable_tensor_type();
    type->set_elem_type(writer_.type_of(output.node));
    for (const int64_t size : node.shape) {
      auto* dimension = type->mutable_shape()->add_dim();
      if (!is_dynamic_) dimension->set_dim_value(size);
    }
  }

  // A node of the graph that the file has: as it is, or written anew.
  void place(NodeId id) {
    const Node& node = quantized_.node(id);
    if (std::holds_alternative<graph::Constant>(node.operation)) return;
    const NodeId before = originals_.at(node.file_value);
    const auto part = part_of(id);
    const auto inputs = matched_inputs(id, before);
    const bool equal = written_alone(original_, before, options_, opset_, placeholders_) ==
                       written_alone(quantized_, id, options_, opset_, placeholders_);
    const auto& operation = original_.node(before).operation;
    const bool has_filters = graph::filters_of(node.operation) &&
                             operation.index() == node.operation.index() && part.size() == 1 &&
                             nodes_.has(part, graph::kind_name(operation)) &&
                             options_.profile != OnnxProfile::kNpu;
    if (!inputs || !nodes_.can_be_raised(part, raised_from_, opset_) || (!equal && !has_filters)) {
      return write_anew(id, part);
    }
    for (const auto& [name, input] : *inputs) {
      need(input);
      nodes_.redirect(part, name, names_.values[input]);
    }
    if (!equal) exchange_filters(id, part.front());
  }

  // What the node's inputs are called in the file, and the nodes of the quantized graph that they
  // are now; nothing where the file has no name for one.
  std::optional<std::map<std::string, NodeId>> matched_inputs(NodeId id, NodeId before) const {
    std::map<std::string, NodeId> matched;
    const auto& now = quantized_.node(id).inputs;
    const auto& then = original_.node(before).inputs;
    if (now.size() != then.size()) return std::nullopt;
    for (size_t i = 0; i < now.size(); ++i) {
      NodeId a = then[i];
      NodeId b = now[i];
      // A node that the reader added, such as the Pad of a Conv, is part of the file's node.
      while (original_.node(a).file_value.empty() && original_.node(a).inputs.size() == 1 &&
             quantized_.node(b).operation.index() == original_.node(a).operation.index()) {
        a = original_.node(a).inputs[0];
        b = quantized_.node(b).inputs[0];
      }
      const bool is_constant = std::holds_alternative<graph::Constant>(original_.node(a).operation);
      if (is_constant && std::holds_alternative<graph::Constant>(quantized_.node(b).operation)) {
        continue;
      }
      const std::string& name = original_.node(a).file_value;
      if (name.empty() || is_constant) return std::nullopt;
      const auto [known, is_new] = matched.emplace(name, b);
      if (!is_new && known->second != b) return std::nullopt;
    }
    return matched;
  }

  // Writes a node that the file does not have yet, and what it reads.
  void need(NodeId id) {
    if (is_input(id) || is_of_file(id) || !written_.insert(id).second) return;
    for (const NodeId input : quantized_.node(id).inputs) need(input);
    writer_.write(id);
  }

  void write_anew(NodeId id, const std::vector<int>& part) {
    const auto& main = main_node(id);
    if (is_dynamic_ && nodes_.has(part, "Shape")) {
      throw Obstacle{
          fmt::format("node {} ({}), which depends on the size of the picture, would "
                      "have to be written anew",
                      main.name(), main.op_type())};
    }
    for (const NodeId input : quantized_.node(id).inputs) need(input);
    const int first = added_.node_size();
    writer_.write(id);
    for (int i = first; i < added_.node_size(); ++i) {
      if (added_.node(i).output(0) != names_.values[id]) continue;
      added_.mutable_node(i)->set_doc_string(main.doc_string());
    }
    const std::string& value = quantized_.node(id).file_value;
    nodes_.replace(value, unique(value + "_unused"));
  }

  // The Conv stays; its filters and bias become what the graph's node is written with.
  void exchange_filters(NodeId id, int node) {
    writer_.write(id);
    const auto& conv = added_.node(added_.node_size() - 1);
    nodes_.set_constants(node, {conv.input().begin() + 1, conv.input().end()});
    added_.mutable_node()->RemoveLast();
  }

  // The outputs of the quantized graph. Others would be computed from values that equalization has
  // changed.
  void choose_outputs(onnx::GraphProto& graph, std::vector<std::string>& notes) const {
    auto& outputs = *graph.mutable_output();
    for (int i = outputs.size(); i-- > 0;) {
      const std::string name = outputs[i].name();
      const auto& known = quantized_.outputs();
      if (std::ranges::any_of(known, [&](const auto& o) { return o.name == name; })) continue;
      notes.push_back(fmt::format("output {} is left out: the quantized network has none", name));
      outputs.DeleteSubrange(i, 1);
    }
    outputs.MergeFrom(added_.output());
    for (const auto& output : added_.output()) {
      notes.push_back(fmt::format("output {} is new", output.name()));
    }
  }

  void assemble(onnx::ModelProto& model) {
    auto& graph = *model.mutable_graph();
    const auto unique_name = [this](const std::string& name) { return unique(name); };
    nodes_.assemble(added_, {raised_from_, opset_, unique_name}, graph);
    for (auto& tensor : *graph.mutable_initializer()) embed(tensor, file_.path());
    for (auto& node : *graph.mutable_node()) {
      for (auto& attribute : *node.mutable_attribute()) {
        if (attribute.has_t()) embed(*attribute.mutable_t(), file_.path());
      }
    }
    for (auto& import : *model.mutable_opset_import()) {
      if (import.domain().empty() || import.domain() == "ai.onnx") import.set_version(opset_);
    }
    add_quantizer_domain(model);
    constexpr int64_t kFreeInitializers = 4;  // that are no inputs
    constexpr int64_t kOfPerChannel = 7;      // came with opset 13
    const bool is_raised = opset_ > raised_from_ && opset_ >= 13;
    model.set_ir_version(
        std::max<int64_t>(model.ir_version(), is_raised ? kOfPerChannel : kFreeInitializers));
    for (const auto& [key, value] : options_.metadata) {
      auto& all = *model.mutable_metadata_props();
      const auto known =
          std::ranges::find_if(all, [&](const auto& entry) { return entry.key() == key; });
      auto& entry = known == all.end() ? *all.Add() : *known;
      entry.set_key(key);
      entry.set_value(value);
    }
  }

  const OnnxFile& file_;
  const Graph& original_;
  const Graph& quantized_;
  OnnxOptions options_;
  FileNodes nodes_;
  std::map<std::string, NodeId> originals_;  // nodes of original_ by their value's name
  int64_t raised_from_, opset_;
  bool is_dynamic_ = false;  // the file takes pictures of several sizes
  FileNames names_, placeholders_;
  onnx::GraphProto added_;
  GraphWriter writer_;
  std::set<NodeId> written_, named_;
};

}  // namespace

QuantizedCopy quantized_copy(const OnnxFile& file, const Graph& original, const Graph& quantized,
                             const OnnxOptions& options) {
  try {
    auto copy = Copier(file, original, quantized, options).run();
    checked_onnx(*copy.model, file.path().string());  // files may be read that ONNX refuses
    return copy;
  } catch (const Obstacle& obstacle) {
    return {.model = nullptr, .obstacle = obstacle.what()};
  } catch (const Error& error) {
    return {.model = nullptr, .obstacle = "ONNX's checker refuses a copy: " + error.parts().got};
  }
}

}  // namespace dualdepth
