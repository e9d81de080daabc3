#include "file_nodes.h"

#include <fmt/format.h>

#include <algorithm>

#include "raise_opset.h"

namespace dualdepth {
namespace {

// A node in the order of the copy.
struct Placed {
  onnx::NodeProto node;
  bool is_of_file = false;
};

// Each node behind those whose values it reads, otherwise in the same order.
std::vector<Placed> sorted(std::vector<Placed> nodes) {
  std::map<std::string, size_t> producers;
  for (size_t i = 0; i < nodes.size(); ++i) {
    for (const auto& output : nodes[i].node.output()) producers[output] = i;
  }
  std::vector<Placed> order;
  std::vector<bool> placed(nodes.size(), false);
  // A stack in place of recursion: networks may be thousands of nodes deep.
  for (size_t root = 0; root < nodes.size(); ++root) {
    std::vector<size_t> open{root};
    while (!open.empty()) {
      const size_t at = open.back();
      const size_t before = open.size();
      if (!placed[at]) {
        for (const auto& name : nodes[at].node.input()) {
          const auto found = producers.find(name);
          if (found != producers.end() && !placed[found->second]) open.push_back(found->second);
        }
      }
      if (open.size() > before) continue;
      open.pop_back();
      if (placed[at]) continue;
      placed[at] = true;
      order.push_back(std::move(nodes[at]));
    }
  }
  return order;
}

std::set<std::string> read_names(const onnx::GraphProto& graph) {
  std::set<std::string> names;
  for (const auto& output : graph.output()) names.insert(output.name());
  for (const auto& node : graph.node()) names.insert(node.input().begin(), node.input().end());
  return names;
}

template <class Repeated, class Leave>
void erase_if(Repeated& items, const Leave& leave) {
  items.erase(std::remove_if(items.begin(), items.end(), leave), items.end());
}

}  // namespace

FileNodes::FileNodes(const onnx::GraphProto& file) : file_(file) {
  for (int i = 0; i < file.node_size(); ++i) {
    for (const auto& output : file.node(i).output()) {
      if (!output.empty()) producers_[output] = i;
    }
  }
}

std::set<std::string> FileNodes::all_names() const {
  std::set<std::string> names = read_names(file_);
  for (const auto& node : file_.node()) {
    names.insert(node.name());
    names.insert(node.output().begin(), node.output().end());
  }
  for (const auto& tensor : file_.initializer()) names.insert(tensor.name());
  for (const auto& input : file_.input()) names.insert(input.name());
  return names;
}

const onnx::NodeProto& FileNodes::main_of(const std::vector<int>& part, std::string_view type,
                                          const std::string& value) const {
  for (const int index : part) {
    if (file_.node(index).op_type() == type) return file_.node(index);
  }
  return file_.node(producers_.at(value));
}

std::vector<int> FileNodes::between(const std::string& value,
                                    const std::map<std::string, graph::NodeId>& known) const {
  std::set<int> part;
  std::vector<std::string> open{value};
  while (!open.empty()) {
    const std::string name = open.back();
    open.pop_back();
    const auto found = producers_.find(name);
    if (found == producers_.end() || !part.insert(found->second).second) continue;
    for (const auto& input : file_.node(found->second).input()) {
      if (!known.contains(input)) open.push_back(input);
    }
  }
  return {part.begin(), part.end()};
}

bool FileNodes::has(const std::vector<int>& part, std::string_view type) const {
  return std::ranges::any_of(part, [&](int index) { return file_.node(index).op_type() == type; });
}

bool FileNodes::can_be_raised(const std::vector<int>& part, int64_t from, int64_t to) const {
  return std::ranges::all_of(
      part, [&](int index) { return raise_opset(file_.node(index), from, to).has_value(); });
}

void FileNodes::redirect(const std::vector<int>& part, const std::string& value,
                         const std::string& name) {
  for (const int index : part) {
    const auto& inputs = file_.node(index).input();
    if (std::ranges::find(inputs, value) == inputs.end()) continue;
    const auto [known, is_new] = redirected_[index].emplace(value, name);
    if (is_new || known->second == name) continue;
    throw Obstacle{fmt::format("node {} reads {} once quantized and once in float",
                               file_.node(index).name(), value)};
  }
}

onnx::NodeProto FileNodes::changed(int index) const {
  onnx::NodeProto node = file_.node(index);
  const auto exchange = [](const std::map<std::string, std::string>& names, std::string& name) {
    const auto found = names.find(name);
    if (found == names.end()) return false;
    name = found->second;
    return true;
  };
  const auto redirected = redirected_.find(index);
  for (auto& input : *node.mutable_input()) {
    if (redirected != redirected_.end() && exchange(redirected->second, input)) continue;
    exchange(renamed_, input);
  }
  for (auto& output : *node.mutable_output()) {
    if (!exchange(replaced_, output)) exchange(renamed_, output);
  }
  if (const auto found = constants_.find(index); found != constants_.end()) {
    node.mutable_input()->DeleteSubrange(1, node.input_size() - 1);
    for (const auto& name : found->second) node.add_input(name);
  }
  return node;
}

onnx::NodeProto FileNodes::raised(const onnx::NodeProto& node, const Opsets& opsets,
                                  std::vector<onnx::TensorProto>& constants) {
  auto raised = raise_opset(node, opsets.from, opsets.to);
  if (!raised) {
    throw Obstacle{fmt::format("node {} ({}) is another one in opset {}", node.name(),
                               node.op_type(), opsets.to)};
  }
  for (auto& tensor : raised->constants) {
    if (!tensor.has_data_type()) {
      raised->node.add_input("");
      continue;
    }
    tensor.set_name(opsets.unique_name(node.output(0) + "_parameter"));
    raised->node.add_input(tensor.name());
    constants.push_back(std::move(tensor));
  }
  return std::move(raised->node);
}

void FileNodes::assemble(const onnx::GraphProto& added, const Opsets& opsets,
                         onnx::GraphProto& graph) const {
  std::vector<Placed> nodes;
  nodes.reserve(file_.node().size() + added.node().size());
  for (int i = 0; i < file_.node_size(); ++i) nodes.push_back({changed(i), true});
  for (const auto& node : added.node()) nodes.push_back({node, false});
  nodes = sorted(std::move(nodes));

  const auto was_read = read_names(file_);
  std::set<std::string> unneeded = was_read;  // unless it is read
  for (const auto& [value, name] : replaced_) unneeded.insert(name);
  for (const auto& node : added.node()) unneeded.insert(node.output().begin(), node.output().end());
  std::set<std::string> read;
  for (const auto& output : graph.output()) read.insert(output.name());
  std::vector<bool> stays(nodes.size());
  for (size_t i = nodes.size(); i-- > 0;) {
    const auto& node = nodes[i].node;
    stays[i] = std::ranges::any_of(node.output(), [&](const std::string& name) {
      return read.contains(name) || !unneeded.contains(name);
    });
    if (stays[i]) read.insert(node.input().begin(), node.input().end());
  }

  graph.clear_node();
  std::set<std::string> computed;
  std::vector<onnx::TensorProto> constants;
  for (size_t i = 0; i < nodes.size(); ++i) {
    if (!stays[i]) continue;
    auto& node = *graph.add_node();
    node = nodes[i].is_of_file ? raised(nodes[i].node, opsets, constants) : nodes[i].node;
    computed.insert(node.output().begin(), node.output().end());
  }
  std::set<std::string> left_out;
  for (const auto& tensor : file_.initializer()) {
    const auto& name = tensor.name();
    if (!read.contains(name) && was_read.contains(name)) left_out.insert(name);
  }
  const auto is_left_out = [&](const auto& item) { return left_out.contains(item.name()); };
  erase_if(*graph.mutable_initializer(), is_left_out);
  erase_if(*graph.mutable_input(), is_left_out);  // older files list initializers, too
  for (const auto& tensor : added.initializer()) *graph.add_initializer() = tensor;
  for (const auto& tensor : constants) *graph.add_initializer() = tensor;
  erase_if(*graph.mutable_value_info(), [&](const auto& value) {
    return producers_.contains(value.name()) && !computed.contains(value.name());
  });
}

}  // namespace dualdepth
