#pragma once

#include <torch/types.h>

#include <array>
#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "dualdepth/config/model_options.h"

// The network as a typed graph, independent of file formats: what the ONNX writer writes, what the
// passes rewrite and what a quantizer measures.
namespace dualdepth::graph {

// [N, C, H, W]; N, H and W are those of the picture that the graph was made with.
using Shape = std::vector<int64_t>;
using NodeId = size_t;

// The node kinds. Each makes one value from its inputs; the comment says which.
struct Input {  // none: RGB in 0..1
  std::string name;
};
struct Affine {  // x: x * scale[c] + shift[c], both float [C]
  torch::Tensor scale, shift;
};
struct Conv {            // x: cross-correlation with zero padding, one group
  torch::Tensor weight;  // float [O, C, kh, kw]
  torch::Tensor bias;    // float [O]
  std::array<int64_t, 2> stride{1, 1};
  std::array<int64_t, 2> padding{0, 0};  // on both sides of height and width
  std::array<int64_t, 2> dilation{1, 1};
  // Of filters that are whole multiples (-127..127) of a step: float [1], or [O] one for each
  // filter. Undefined: float filters.
  torch::Tensor weight_scale = {};
};
struct Relu {};     // x: max(x, 0)
struct Sigmoid {};  // x: 1 / (1 + exp(-x))
struct Add {};      // a, b of equal shape
struct MaxPool {    // x: as Conv slides, padding never wins
  std::array<int64_t, 2> kernel, stride, padding;
};
struct Upsample {  // x: nearest, whole factor in height and width
  int64_t factor = 2;
};
struct Concat {};  // two or more values, along C
struct ArgMax {};  // x: index of the greatest channel, the first of equals; [N, 1, H, W]
// x: on a grid of 256 steps, s (clamp(round(x / s) + z, first, first + 255) - z), half to even;
// first is 0, or -128 when is_signed. In a file: QuantizeLinear and DequantizeLinear.
struct FakeQuantize {
  float scale = 1;
  int64_t zero_point = 0;
  bool is_signed = false;
  int64_t bits = 8;

  bool operator==(const FakeQuantize&) const = default;
};
struct ComposeDepth {  // metres by dual_head_to_depth and DepthCodec::decode (codec/depth_codec.h)
  ModelParams params;  //   two heads: level, fraction
};                     //   one head: the sigmoid's value

using Operation = std::variant<Input, Affine, Conv, Relu, Sigmoid, Add, MaxPool, Upsample, Concat,
                               ArgMax, FakeQuantize, ComposeDepth>;

// "Conv", "Relu" ...
std::string_view kind_name(const Operation& operation);

struct Node {
  Operation operation;
  std::vector<NodeId> inputs;  // nodes before this one
  std::string module;  // dotted path of the nn module it came from, "encoder.layer1.0.conv1"
  Shape shape;         // of its value
};

struct Output {
  std::string name;
  NodeId node;
};

// Nodes in an order in which each comes after its inputs. Adding a node infers its shape and checks
// what it needs: a graph that exists is a valid one.
class Graph {
 public:
  // Throws Error naming the module and kind when the inputs do not fit the operation: wrong number,
  // channels, spatial size, a tensor of another shape or type, or a non-finite weight.
  NodeId add(Operation operation, std::vector<NodeId> inputs, std::string module);
  NodeId add_input(std::string name, Shape shape);

  // Another operation in the node's place, with the same inputs and the same shape of value.
  // Throws Error as add() does and when the shape would change.
  void replace(NodeId id, Operation operation);

  // Replaces the outputs.
  void set_outputs(std::vector<Output> outputs);

  const std::vector<Node>& nodes() const { return nodes_; }
  const std::vector<Output>& outputs() const { return outputs_; }
  const Node& node(NodeId id) const { return nodes_.at(id); }

  // The output of that name. Throws Error that lists those there are.
  NodeId output(std::string_view name) const;

  // The input, of which there is one. Throws Error when there is none.
  const Node& input() const;

  // How many nodes and outputs read each node's value.
  std::vector<int> readers() const;

 private:
  std::vector<Node> nodes_;
  std::vector<Output> outputs_;
};

// What `outputs()` name.
std::vector<NodeId> output_nodes(const Graph& graph);

// Adds a node of another graph to `to`, with its inputs renamed[input].
NodeId add_copy(Graph& to, const Node& node, const std::vector<NodeId>& renamed);

// The outputs of another graph, renamed[node].
std::vector<Output> renamed_outputs(const Graph& from, const std::vector<NodeId>& renamed);

// The graph with another node behind `id`, which all that read `id` read now. Later nodes move by
// one.
Graph insert_behind(const Graph& graph, NodeId id, const Operation& operation);

// "encoder.layer1" of "encoder.layer1.0"; empty for a name without a dot.
std::string parent_module(const std::string& module);

// A name for each node that is unique in the graph and shows where it comes from:
// "/encoder/layer1/0/conv1/Conv", "/encoder/layer1/0/Relu_1".
std::vector<std::string> node_names(const Graph& graph);

// Nodes that nobody reads but one, from the integer head's convolution to what hands out its
// result: the convolution itself, then Relu and FakeQuantize if they are there, then ArgMax if it
// is there. Empty when the graph has neither an ArgMax over a convolution nor an output `logits`.
std::vector<NodeId> integer_head(const Graph& graph);

// The grid that a value lies on: that of FakeQuantize, also behind MaxPool, Upsample and a Concat
// whose inputs share one. Nothing: float.
std::optional<FakeQuantize> grid_of(const Graph& graph, NodeId id);

// The bias of a convolution with a weight_scale as whole multiples of input_scale * weight_scale,
// int32 [O]; what a file holds.
torch::Tensor integer_bias(const Conv& conv, float input_scale);

// Multiply-accumulates of one node for the graph's picture.
int64_t multiply_accumulates(const Graph& graph, NodeId id);

}  // namespace dualdepth::graph
