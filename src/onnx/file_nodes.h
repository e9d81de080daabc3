#pragma once

#include <onnx/onnx_pb.h>

#include <cstdint>
#include <map>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "dualdepth/graph/graph.h"

namespace dualdepth {

// The nodes of a file that is copied: which of them stay, and what they read instead. A part is
// those nodes, by their index in the file, that one node of the network graph was read from.
class FileNodes {
 public:
  explicit FileNodes(const onnx::GraphProto& file);

  std::set<std::string> all_names() const;  // of nodes, values and initializers
  // The nodes that compute `value` from values of `known` names, inputs and constants.
  std::vector<int> between(const std::string& value,
                           const std::map<std::string, graph::NodeId>& known) const;
  // The part's first node of this type, else the one that makes the value.
  const onnx::NodeProto& main_of(const std::vector<int>& part, std::string_view type,
                                 const std::string& value) const;
  bool is_one(const std::vector<int>& part, const char* type) const;
  // Whether a node has another form in opset `to` than in `from`.
  bool changes(const std::vector<int>& part, int64_t from, int64_t to) const;

  // Gives a value another name, in the node that makes it and those that read it.
  void rename(const std::string& value, const std::string& name) { renamed_[value] = name; }
  // Lets the part read `name` in place of `value`. Returns false when it reads another already.
  bool redirect(const std::vector<int>& part, const std::string& value, const std::string& name);
  // Lets a node read these in place of all its inputs but the first.
  void set_constants(int node, std::vector<std::string> names) {
    constants_[node] = std::move(names);
  }
  void keep(const std::vector<int>& part) { kept_.insert(part.begin(), part.end()); }
  // Leaves the part out, but for nodes that another part keeps.
  void drop(const std::vector<int>& part) { dropped_.insert(part.begin(), part.end()); }

  // Sets nodes and initializers of `graph`, a copy of the file's, to those that stay with `added`
  // ones, each behind what it reads. What nothing reads any more is left out.
  void assemble(const onnx::GraphProto& added, onnx::GraphProto& graph) const;

 private:
  onnx::NodeProto changed(int index) const;

  const onnx::GraphProto& file_;
  std::map<std::string, int> producers_;
  std::map<std::string, std::string> renamed_;
  std::map<int, std::map<std::string, std::string>> redirected_;
  std::map<int, std::vector<std::string>> constants_;
  std::set<int> kept_, dropped_;
};

}  // namespace dualdepth
