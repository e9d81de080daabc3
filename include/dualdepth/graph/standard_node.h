#pragma once

#include <torch/types.h>

#include <cstdint>
#include <map>
#include <set>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "dualdepth/base/error.h"
#include "dualdepth/config/export_options.h"
#include "dualdepth/graph/operators.h"

// One node of a file in the terms of the ONNX operator standard, without its file format: what the
// entries of the operator table read and write. The room onnx turns files into StandardNodes and
// what a NodeWriter is given into files.
namespace dualdepth::graph {

class Graph;
struct Node;

// Thrown for a node that the standard allows and the graph cannot express, such as a cubic Resize.
// It may still be computed as a Foreign node.
class Unsupported : public Error {
 public:
  using Error::Error;
};

using Attribute = std::variant<int64_t, float, std::string, std::vector<int64_t>,
                               std::vector<float>, std::vector<std::string>, torch::Tensor>;

// A value that is known without an input: an initializer, a Constant, or what is computed of such.
struct ConstantValue {
  torch::Tensor value;
  // Behind a DequantizeLinear of codes -128..127: float [1], or one for each index along `axis`.
  // Undefined otherwise.
  torch::Tensor weight_scale = {};
  int64_t axis = 0;
};

// The codes behind a QuantizeLinear; the DequantizeLinear that reads them makes a FakeQuantize.
struct QuantizedValue {
  NodeId source;
  FakeQuantize quantization;
};

// What a name of the file stands for; monostate: an optional input that is left out.
using StandardValue = std::variant<std::monostate, NodeId, ConstantValue, QuantizedValue>;

struct StandardNode {
  std::string type, domain, name;
  int64_t opset = 0;   // of its domain
  std::string module;  // of the graph's nodes that it becomes
  std::map<std::string, Attribute> attributes;
  std::vector<StandardValue> inputs;
  std::vector<int> consumers;  // of each input's value, nodes and outputs of the file
  size_t outputs = 1;
  bool for_any_size = false;  // the graph is to hold for pictures of other sizes and batches, too
};

// What an entry reads a StandardNode with. It remembers which attributes were read: one that no
// entry asks for would change the function silently, so expect_all_read() refuses it.
class NodeReader {
 public:
  NodeReader(const StandardNode& node, Graph& graph) : node_(node), graph_(graph) {}

  const std::string& type() const { return node_.type; }
  int64_t opset() const { return node_.opset; }

  // An attribute, `otherwise` where the node does not have it. Throws Error when it is of another
  // type.
  int64_t integer(const char* name, int64_t otherwise);
  float number(const char* name, float otherwise);
  std::string text(const char* name, const char* otherwise);
  std::vector<int64_t> integers(const char* name, const std::vector<int64_t>& otherwise);
  bool has_attribute(const char* name) const { return node_.attributes.contains(name); }
  // Throws Unsupported unless the attribute, or its default, is `expected`.
  void expect(const char* name, int64_t expected, int64_t standard_default);
  // Of a Constant.
  const Attribute* attribute(const char* name);
  void expect_all_read() const;

  size_t size() const { return node_.inputs.size(); }
  size_t outputs() const { return node_.outputs; }
  bool has(size_t i) const;
  bool is_constant(size_t i) const;
  int consumers(size_t i) const { return node_.consumers.at(i); }
  // Throws Error when the input is missing, Unsupported when it is computed.
  const ConstantValue& constant(size_t i) const;
  std::vector<int64_t> integers_of(size_t i) const;  // numbers of a constant of int32 or int64
  // The integers of an attribute, or from opset `since` on of input i.
  std::vector<int64_t> integers_at(const char* name, size_t i, int64_t since,
                                   const std::vector<int64_t>& otherwise);
  const QuantizedValue* quantized(size_t i) const;
  // Throws Error when the graph is to hold for any size of picture. For an entry that makes a
  // constant of the sizes of a computed value.
  void expect_fixed_size() const;
  // What an input stands for, to be passed on.
  const StandardValue& input(size_t i) const;
  // The node that computes an input; a constant becomes a Constant node.
  NodeId value(size_t i);
  const Node& operand(size_t i);  // the node of value(i)

  Graph& graph() { return graph_; }
  NodeId add(Operation operation, std::vector<NodeId> inputs);
  // Another operation in the place of the one that computes an input: the node of the file becomes
  // part of it, as a BatchNormalization behind a Conv does.
  void replace(NodeId id, Operation operation);
  bool has_replaced() const { return replaced_; }

  // "node /encoder/Conv (Conv)".
  std::string subject() const;
  [[noreturn]] void fail(const std::string& expected, const std::string& got) const;
  [[noreturn]] void unsupported(const std::string& expected, const std::string& got) const;

 private:
  const StandardNode& node_;
  Graph& graph_;
  std::set<std::string> read_;
  std::map<size_t, NodeId> constants_;  // made of inputs
  bool replaced_ = false;
};

struct NamedAttribute {
  NamedAttribute(const char* name, int64_t value);
  NamedAttribute(const char* name, float value);
  NamedAttribute(const char* name, const char* value);
  NamedAttribute(const char* name, const std::vector<int64_t>& value);

  const char* name;
  Attribute value;
};

// An ONNX node that an entry writes.
struct WrittenNode {
  const char* type;
  std::vector<std::string> inputs = {};
  std::vector<NamedAttribute> attributes = {};
  const char* domain = nullptr;  // nullptr: the field stays unset, which means the same as ""
};

// What an entry writes a node of the graph with: names and values of the file are the writer's.
class NodeWriter {
 public:
  virtual ~NodeWriter() = default;

  virtual const Graph& graph() const = 0;
  virtual NodeId id() const = 0;  // of the node that is written
  virtual OnnxProfile profile() const = 0;
  virtual int64_t opset() const = 0;
  virtual std::string input(size_t i = 0) const = 0;

  // All inputs of the graph's node.
  std::vector<std::string> inputs() const;

  // The graph's node as one ONNX node.
  virtual void make(const WrittenNode& node) = 0;
  // The graph's node as two: the first keeps its name and returns name + `suffix`, the second makes
  // its value.
  virtual std::string begin(const WrittenNode& node, const char* suffix) = 0;
  virtual void end(const WrittenNode& node, const char* suffix) = 0;
  // The graph's node as several: each is named after it; the value of the last is given to
  // finish().
  virtual std::string step(const WrittenNode& node) = 0;
  virtual void finish(const std::string& value) = 0;
  // The node of a file as it is, with other names of values (see Foreign).
  virtual void make_foreign(const Foreign& foreign) = 0;

  // Adds an initializer of the tensor's own type; a name that is taken gets a number.
  virtual std::string constant(const std::string& name, const torch::Tensor& tensor,
                               const std::vector<int64_t>& shape) = 0;
  virtual std::string name() const = 0;  // of the node, without the leading slash

  std::string parameter(const char* what) const;  // "encoder.conv1.weight"
  std::string number(const char* what, double value);
  std::string integers(const char* what, const std::vector<int64_t>& values);
  bool for_npu() const { return profile() == OnnxProfile::kNpu; }
};

}  // namespace dualdepth::graph
