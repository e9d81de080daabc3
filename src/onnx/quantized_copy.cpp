#include "dualdepth/onnx/quantized_copy.h"

#include <fmt/format.h>
#include <onnx/onnx_pb.h>

#include <algorithm>
#include <map>
#include <optional>
#include <set>

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

constexpr int64_t kScaleOpset = 10;       // QuantizeLinear
constexpr int64_t kPerChannelOpset = 13;  // with an axis

// Thrown inside for a file that cannot be kept.
struct Obstacle {
  std::string reason;
};

bool same(const torch::Tensor& a, const torch::Tensor& b) {
  return a.defined() == b.defined() && (!a.defined() || a.equal(b));
}

// Whether two operators hold the same numbers; all that passes change.
struct SameNumbers {
  const graph::Operation& other;

  bool operator()(const graph::Conv& a) const {
    const auto& b = std::get<graph::Conv>(other);
    return same(a.weight, b.weight) && same(a.bias, b.bias) && !a.weight_scale.defined();
  }
  bool operator()(const graph::ConvTranspose& a) const {
    const auto& b = std::get<graph::ConvTranspose>(other);
    return same(a.weight, b.weight) && same(a.bias, b.bias);
  }
  bool operator()(const graph::Linear& a) const {
    const auto& b = std::get<graph::Linear>(other);
    return same(a.weight, b.weight) && same(a.bias, b.bias);
  }
  bool operator()(const graph::Affine& a) const {
    const auto& b = std::get<graph::Affine>(other);
    return same(a.scale, b.scale) && same(a.shift, b.shift);
  }
  template <class Other>
  bool operator()(const Other&) const {
    return true;
  }
};

bool has_scale_for_each(const Graph& graph) {
  return std::ranges::any_of(graph.nodes(), [](const Node& node) {
    const auto* conv = std::get_if<graph::Conv>(&node.operation);
    return conv != nullptr && conv->weight_scale.defined() && conv->weight_scale.numel() > 1;
  });
}

class Copier {
 public:
  Copier(const OnnxFile& file, const Graph& original, const Graph& quantized,
         const OnnxOptions& options)
      : file_(file),
        original_(original),
        quantized_(quantized),
        options_(options),
        nodes_(file.model().graph()) {
    for (NodeId id = 0; id < original.nodes().size(); ++id) {
      if (!original.node(id).file_value.empty()) originals_[original.node(id).file_value] = id;
    }
  }

  QuantizedCopy run() {
    QuantizedCopy copy;
    expect_same_interface();
    choose_opset(copy.notes);
    choose_names();
    GraphWriter writer(quantized_, options_, opset_, names_, added_);
    writer_ = &writer;
    for (NodeId id = 0; id < quantized_.nodes().size(); ++id) {
      if (is_of_file(id)) place(id);
    }
    for (const auto& output : quantized_.outputs()) need(output.node);
    copy.model = std::make_unique<onnx::ModelProto>(file_.model());
    assemble(*copy.model);
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

  void expect_same_interface() const {
    if (options_.profile == OnnxProfile::kNpu) throw Obstacle{"profile npu needs opset 9"};
    std::set<std::string> outputs;
    for (const auto& output : file_.model().graph().output()) outputs.insert(output.name());
    for (const auto& output : quantized_.outputs()) {
      if (!outputs.contains(output.name)) throw Obstacle{"it has no output " + output.name};
    }
    const auto& shape = file_.model().graph().input(0).type().tensor_type().shape();
    const bool fixed = shape.dim_size() > 0 && shape.dim(0).has_dim_value();
    if (fixed && shape.dim(0).dim_value() != quantized_.input().shape.at(0)) {
      throw Obstacle{"it takes another number of pictures"};
    }
  }

  void choose_opset(std::vector<std::string>& notes) {
    const int64_t own = OnnxView(file_).opset("");
    const int64_t needed = has_scale_for_each(quantized_) ? kPerChannelOpset : kScaleOpset;
    opset_ = std::max(own, needed);
    raised_from_ = own;
    if (own >= needed) return;
    notes.push_back(fmt::format("opset raised from {} to {}, which DequantizeLinear needs{}", own,
                                opset_, needed == kPerChannelOpset ? " for a scale each" : ""));
  }

  std::string unique(const std::string& name) {
    std::string unique = name;
    for (int i = 1; !names_.taken.insert(unique).second; ++i)
      unique = fmt::format("{}_{}", name, i);
    return unique;
  }

  // The node of the file that a node of the graph was read from.
  const onnx::NodeProto& main_node(NodeId id) const {
    const Node& node = quantized_.node(id);
    return nodes_.main_of(nodes_.between(node.file_value, originals_),
                          graph::kind_name(node.operation), node.file_value);
  }

  void choose_names() {
    names_.taken = nodes_.all_names();
    const auto own = graph::node_names(quantized_);
    names_.nodes.resize(own.size());
    names_.values.resize(own.size());
    for (NodeId id = 0; id < own.size(); ++id) {
      const Node& node = quantized_.node(id);
      if (is_input(id)) {
        names_.nodes[id] = names_.values[id] = own[id];
      } else if (is_of_file(id)) {
        names_.values[id] = node.file_value;
        const std::string& name = main_node(id).name();
        names_.nodes[id] = name.empty() ? node.file_value : name;
      } else {
        const std::string base =
            is_quantizer(id) ? names_.values[node.inputs[0]] + "/FakeQuantize" : own[id];
        names_.nodes[id] = unique(base);
        names_.values[id] = unique(names_.nodes[id] + "_output_0");
      }
    }
    for (const auto& output : quantized_.outputs()) {
      if (names_.values[output.node] == output.name || is_of_file(output.node)) continue;
      for (NodeId id = 0; id < own.size(); ++id) {
        if (names_.values[id] != output.name) continue;
        names_.values[id] = unique(output.name + "_float");
        nodes_.rename(output.name, names_.values[id]);
      }
      names_.values[output.node] = output.name;
    }
  }

  // A node of the graph that the file has: as it is, or written anew.
  void place(NodeId id) {
    const Node& node = quantized_.node(id);
    if (std::holds_alternative<graph::Constant>(node.operation)) return;
    const NodeId before = originals_.at(node.file_value);
    const Node& origin = original_.node(before);
    const auto part = nodes_.between(node.file_value, originals_);
    const auto inputs = matched_inputs(id, before);
    const bool equal = origin.operation.index() == node.operation.index() &&
                       std::visit(SameNumbers{origin.operation}, node.operation);
    const bool is_conv = std::holds_alternative<graph::Conv>(node.operation);
    if (!inputs || nodes_.changes(part, raised_from_, opset_) ||
        (!equal && !(is_conv && nodes_.is_one(part, "Conv")))) {
      write_anew(id, part);
      return;
    }
    for (const auto& [name, input] : *inputs) {
      need(input);
      if (!nodes_.redirect(part, name, names_.values[input])) {
        throw Obstacle{fmt::format("{} is read as quantized and as float through one node", name)};
      }
    }
    nodes_.keep(part);
    if (!equal) exchange_filters(id, part);
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
    writer_->write(id);
  }

  void write_anew(NodeId id, const std::vector<int>& part) {
    for (const NodeId input : quantized_.node(id).inputs) need(input);
    const int first = added_.node_size();
    writer_->write(id);
    for (int i = first; i < added_.node_size(); ++i) {
      if (added_.node(i).output(0) != names_.values[id]) continue;
      added_.mutable_node(i)->set_doc_string(main_node(id).doc_string());
    }
    nodes_.drop(part);
  }

  // The Conv stays; its filters and bias become what the graph's node is written with.
  void exchange_filters(NodeId id, const std::vector<int>& part) {
    const int first = added_.node_size();
    writer_->write(id);
    for (int i = first; i < added_.node_size(); ++i) {
      if (added_.node(i).op_type() != "Conv") continue;
      nodes_.set_constants(part.front(),
                           {added_.node(i).input().begin() + 1, added_.node(i).input().end()});
      added_.mutable_node()->DeleteSubrange(i, 1);
      return;
    }
  }

  void assemble(onnx::ModelProto& model) {
    const OnnxView view(file_);
    for (auto& tensor : *model.mutable_graph()->mutable_initializer()) {
      if (tensor.data_location() != onnx::TensorProto::EXTERNAL) continue;
      const std::vector<int64_t> shape(tensor.dims().begin(), tensor.dims().end());
      const std::string name = tensor.name();
      const auto numbers = view.constant(name);
      if (!numbers) throw Obstacle{"tensor " + name + " holds no numbers"};
      tensor.Clear();
      set_tensor(tensor, name, *numbers, shape);
    }
    nodes_.assemble(added_, *model.mutable_graph());
    for (auto& import : *model.mutable_opset_import()) {
      if (import.domain().empty()) import.set_version(opset_);
    }
    constexpr int64_t kFreeInitializers = 4;  // that are no inputs
    constexpr int64_t kOfPerChannelOpset = 7;
    model.set_ir_version(
        std::max<int64_t>(model.ir_version(), opset_ > raised_from_ && opset_ >= kPerChannelOpset
                                                  ? kOfPerChannelOpset
                                                  : kFreeInitializers));
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
  FileNames names_;
  int64_t opset_ = 0, raised_from_ = 0;
  onnx::GraphProto added_;
  GraphWriter* writer_ = nullptr;
  std::set<NodeId> written_;
};

}  // namespace

QuantizedCopy quantized_copy(const OnnxFile& file, const Graph& original, const Graph& quantized,
                             const OnnxOptions& options) {
  try {
    return Copier(file, original, quantized, options).run();
  } catch (const Obstacle& obstacle) {
    QuantizedCopy none;
    none.obstacle = obstacle.reason;
    return none;
  }
}

}  // namespace dualdepth
