#pragma once

#include <torch/types.h>

#include <cstdint>
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "dualdepth/graph/operators.h"
#include "dualdepth/graph/standard_node.h"
#include "dualdepth/graph/value.h"

// The operator table: all that the framework knows about an operator, in one entry for each
// alternative of Operation. The entries are made in src/graph/operators/FAMILY.cpp; a new operator
// is a struct in operators.h, an entry there, a line in operator_table.cpp, and its tests.
namespace dualdepth::graph {

// Shape and element type of a value.
struct ValueType {
  Shape shape;
  torch::ScalarType type = torch::kFloat32;

  bool operator==(const ValueType&) const = default;
};

// "[1, 3, 192, 640]".
std::string to_text(const Shape& shape);

// The types of a node's inputs, as a shape rule reads them. All checks throw Error whose subject
// names the operator and the module.
class Operands {
 public:
  Operands(std::string subject, std::vector<ValueType> types);

  size_t size() const { return types_.size(); }
  const ValueType& operator[](size_t i) const { return types_.at(i); }

  void expect(bool holds, const std::string& expected, const std::string& got) const;
  void expect_count(size_t count) const;
  // Float [sizes] with finite values.
  void expect_tensor(const char* name, const torch::Tensor& tensor, const Shape& sizes) const;

  const ValueType& only() const;        // the one input
  const ValueType& only_float() const;  // the one input, float32
  const Shape& only_map() const;        // shape of the one input, a float32 map [N, C, H, W]

  // `axis` of a value of this rank, negative ones counted from the end.
  int64_t axis_of(int64_t axis, size_t rank) const;

  // Height and width behind a window that slides over a map, rounded down:
  //   (size + 2 padding - dilation (kernel - 1) - 1) / stride + 1
  Shape slide(Shape map, Pair kernel, Pair stride, Pair padding, Pair dilation) const;

  // The shape of an element-wise result of several inputs, by the rules of NumPy.
  Shape broadcast() const;

  // a * b, a + b of sizes from a file; refuses what passes 2^31, more than any map has.
  int64_t times(int64_t a, int64_t b) const;
  int64_t plus(int64_t a, int64_t b) const;

 private:
  std::string subject_;
  std::vector<ValueType> types_;
};

// What a kernel computes from.
struct Arguments {
  std::span<const Value> values;
  std::optional<FakeQuantize> quantization;  // of the first input's value, see Node::quantization

  torch::Tensor real(size_t i = 0) const { return values[i].real(); }
};

// An operator of the ONNX standard that reads as this entry's operator.
struct StandardForm {
  std::string_view type;  // "Conv"
  // The values of the node's outputs, in order. Throws Error for a node that breaks the standard
  // and Unsupported for one that the graph cannot express (see standard_node.h).
  std::function<std::vector<StandardValue>(NodeReader&)> read;
  int64_t first_opset = 1, last_opset = 1 << 20;
  std::string_view domain = "";
};

struct OperatorEntry {
  std::function<std::string_view(const Operation&)> name;  // "Conv"
  std::function<ValueType(const Operation&, const Operands&)> infer;
  // In whole numbers where the operator has an integer kernel and its inputs are quantized.
  std::function<Value(const Operation&, const Arguments&)> compute;
  // Each number of the value is one of the inputs' numbers (or 0), so that it keeps their
  // quantization.
  std::function<bool(const Operation&)> passes_values;
  // Has weights that may be quantized, and an integer kernel.
  bool can_be_quantized = false;
  std::function<int64_t(const Operation&, const Shape& value)> multiply_accumulates;
  std::function<int64_t(const Operation&)> parameters;   // how many numbers are learned
  std::function<std::string(const Operation&)> details;  // "7x7 /2"
  std::string_view color;                                // in graph_svg
  std::vector<StandardForm> forms;
  std::function<void(const Operation&, NodeWriter&)> write;
};

const OperatorEntry& entry_of(const Operation& operation);

// The form that reads an ONNX operator at an opset of its domain; nullptr when there is none.
const StandardForm* find_form(std::string_view type, std::string_view domain, int64_t opset);

// Operators of the ONNX standard that have a form, sorted.
std::vector<std::string> standard_operators();

}  // namespace dualdepth::graph
