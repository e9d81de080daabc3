#include "file_nodes.h"

#include <algorithm>

namespace dualdepth {
namespace {

// Operators of the standard that take their parameters in another way, or mean something else, from
// this opset on.
const std::map<std::string, int64_t> kChanged{
    {"Slice", 10},  {"TopK", 10},    {"Upsample", 10},   {"Clip", 11},      {"Pad", 11},
    {"Resize", 11}, {"Dropout", 12}, {"Squeeze", 13},    {"Unsqueeze", 13}, {"ReduceSum", 13},
    {"Split", 13},  {"Softmax", 13}, {"LogSoftmax", 13}, {"Hardmax", 13}};

// All names that a graph and those inside it read.
void add_read(const onnx::GraphProto& graph, std::set<std::string>& names) {
  for (const auto& node : graph.node()) {
    names.insert(node.input().begin(), node.input().end());
    for (const auto& attribute : node.attribute()) {
      if (attribute.has_g()) add_read(attribute.g(), names);
      for (const auto& inner : attribute.graphs()) add_read(inner, names);
    }
  }
  for (const auto& output : graph.output()) names.insert(output.name());
}

// Each node behind those whose values it reads, otherwise in the same order.
std::vector<onnx::NodeProto> sorted(const std::vector<onnx::NodeProto>& nodes) {
  std::map<std::string, size_t> producers;
  for (size_t i = 0; i < nodes.size(); ++i) {
    for (const auto& output : nodes[i].output()) producers[output] = i;
  }
  std::vector<onnx::NodeProto> order;
  std::vector<bool> placed(nodes.size(), false);
  // A stack in place of recursion: networks may be thousands of nodes deep.
  for (size_t root = 0; root < nodes.size(); ++root) {
    std::vector<size_t> open{root};
    while (!open.empty()) {
      const size_t at = open.back();
      const size_t before = open.size();
      if (!placed[at]) {
        onnx::GraphProto alone;
        *alone.add_node() = nodes[at];
        std::set<std::string> read;
        add_read(alone, read);
        for (const auto& name : read) {
          const auto found = producers.find(name);
          if (found != producers.end() && !placed[found->second] && found->second != at) {
            open.push_back(found->second);
          }
        }
      }
      if (open.size() > before) continue;
      open.pop_back();
      if (placed[at]) continue;
      placed[at] = true;
      order.push_back(nodes[at]);
    }
  }
  return order;
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
  std::set<std::string> names;
  for (const auto& node : file_.node()) {
    names.insert(node.name());
    names.insert(node.output().begin(), node.output().end());
  }
  for (const auto& tensor : file_.initializer()) names.insert(tensor.name());
  for (const auto& input : file_.input()) names.insert(input.name());
  add_read(file_, names);
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

bool FileNodes::is_one(const std::vector<int>& part, const char* type) const {
  return part.size() == 1 && file_.node(part.front()).op_type() == type;
}

bool FileNodes::changes(const std::vector<int>& part, int64_t from, int64_t to) const {
  return std::ranges::any_of(part, [&](int index) {
    const auto& node = file_.node(index);
    const auto found = kChanged.find(node.op_type());
    return node.domain().empty() && found != kChanged.end() && from < found->second &&
           to >= found->second;
  });
}

bool FileNodes::redirect(const std::vector<int>& part, const std::string& value,
                         const std::string& name) {
  for (const int index : part) {
    const auto& inputs = file_.node(index).input();
    if (std::ranges::find(inputs, value) == inputs.end()) continue;
    const auto [known, is_new] = redirected_[index].emplace(value, name);
    if (!is_new && known->second != name) return false;
  }
  return true;
}

onnx::NodeProto FileNodes::changed(int index) const {
  onnx::NodeProto node = file_.node(index);
  const auto renamed = [this](std::string& name) {
    const auto found = renamed_.find(name);
    if (found != renamed_.end()) name = found->second;
  };
  const auto redirected = redirected_.find(index);
  for (auto& input : *node.mutable_input()) {
    const bool other = redirected != redirected_.end() && redirected->second.contains(input);
    if (other) {
      input = redirected->second.at(input);
    } else {
      renamed(input);
    }
  }
  for (auto& output : *node.mutable_output()) renamed(output);
  if (const auto found = constants_.find(index); found != constants_.end()) {
    const std::string first = node.input(0);
    node.clear_input();
    node.add_input(first);
    for (const auto& name : found->second) node.add_input(name);
  }
  return node;
}

void FileNodes::assemble(const onnx::GraphProto& added, onnx::GraphProto& graph) const {
  std::vector<onnx::NodeProto> nodes;
  std::set<std::string> made;
  for (const auto& node : added.node()) made.insert(node.output().begin(), node.output().end());
  for (int i = 0; i < file_.node_size(); ++i) {
    const auto node = changed(i);
    const bool replaced = std::ranges::any_of(
        node.output(), [&](const std::string& name) { return made.contains(name); });
    if (!replaced && (kept_.contains(i) || !dropped_.contains(i))) nodes.push_back(node);
  }
  nodes.insert(nodes.end(), added.node().begin(), added.node().end());
  std::set<std::string> was_read;
  add_read(file_, was_read);
  for (const auto& tensor : added.initializer()) *graph.add_initializer() = tensor;
  graph.clear_node();
  for (const auto& node : sorted(nodes)) *graph.add_node() = node;

  // What was read before or was added, and is not any more.
  std::set<std::string> own;
  for (const auto& node : added.node()) own.insert(node.output().begin(), node.output().end());
  for (bool is_done = false; !is_done;) {
    std::set<std::string> read;
    add_read(graph, read);
    const int before = graph.node_size();
    erase_if(*graph.mutable_node(), [&](const onnx::NodeProto& node) {
      return std::ranges::all_of(node.output(), [&](const std::string& name) {
        return !read.contains(name) && (was_read.contains(name) || own.contains(name));
      });
    });
    is_done = graph.node_size() == before;
  }
  std::set<std::string> read;
  add_read(graph, read);
  const auto is_unread = [&](const auto& item) {
    return !read.contains(item.name()) && was_read.contains(item.name());
  };
  std::set<std::string> constants;
  for (const auto& tensor : graph.initializer()) {
    if (is_unread(tensor)) constants.insert(tensor.name());
  }
  erase_if(*graph.mutable_initializer(), is_unread);
  erase_if(*graph.mutable_input(),
           [&](const auto& input) { return constants.contains(input.name()); });
  std::set<std::string> present;
  for (const auto& node : graph.node()) present.insert(node.output().begin(), node.output().end());
  erase_if(*graph.mutable_value_info(),
           [&](const auto& value) { return !present.contains(value.name()); });
}

}  // namespace dualdepth
