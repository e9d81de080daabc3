#pragma once

#include <onnx/onnx_pb.h>

#include <cstdint>
#include <functional>
#include <map>
#include <set>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

#include "dualdepth/graph/graph.h"

namespace dualdepth {

// Thrown for a file that cannot be kept; its text is half a sentence.
class Obstacle : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

// Of the file and of its copy.
struct Opsets {
  int64_t from, to;
  std::function<std::string(const std::string&)> unique_name;
};

// The nodes of a file that is copied: what they read and compute instead. A part is those nodes, by
// their index in the file, that one node of the network graph was read from. Nodes have no graphs
// of their own: the reader refuses them.
class FileNodes {
 public:
  explicit FileNodes(const onnx::GraphProto& file);

  std::set<std::string> all_names() const;  // of nodes, values and initializers
  // The nodes that compute `value` from values of `known` names, inputs and constants.
  std::vector<int> between(const std::string& value,
                           const std::map<std::string, graph::NodeId>& known) const;
  // The part's first node of this type, else the one that computes the value.
  const onnx::NodeProto& main_of(const std::vector<int>& part, std::string_view type,
                                 const std::string& value) const;
  bool has(const std::vector<int>& part, std::string_view type) const;
  // Whether raise_opset() knows all of its nodes.
  bool can_be_raised(const std::vector<int>& part, int64_t from, int64_t to) const;

  // Gives a value another name, in the node that computes it and in those that read it.
  void rename(const std::string& value, const std::string& name) { renamed_[value] = name; }
  // Lets another node compute the value: that of the file computes `name`, which nothing reads.
  void replace(const std::string& value, const std::string& name) { replaced_[value] = name; }
  // Lets the part read `name` in place of `value`. Throws Obstacle when another part that shares a
  // node with it reads another one.
  void redirect(const std::vector<int>& part, const std::string& value, const std::string& name);
  // Lets a node read these in place of all its inputs but the first.
  void set_constants(int node, std::vector<std::string> names) {
    constants_[node] = std::move(names);
  }

  // Sets nodes and initializers of `graph`, a copy of the file's, to the changed ones of the file
  // and the `added` ones, each behind what it reads. What was read and is not any more is left out.
  // Throws Obstacle when a node of the file that stays cannot be raised.
  void assemble(const onnx::GraphProto& added, const Opsets& opsets, onnx::GraphProto& graph) const;

 private:
  onnx::NodeProto changed(int index) const;
  static onnx::NodeProto raised(const onnx::NodeProto& node, const Opsets& opsets,
                                std::vector<onnx::TensorProto>& constants);

  const onnx::GraphProto& file_;
  std::map<std::string, int> producers_;
  std::map<std::string, std::string> renamed_, replaced_;
  std::map<int, std::map<std::string, std::string>> redirected_;
  std::map<int, std::vector<std::string>> constants_;
};

}  // namespace dualdepth
