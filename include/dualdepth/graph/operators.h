#pragma once

#include <torch/types.h>

#include <array>
#include <cstdint>
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <variant>
#include <vector>

#include "dualdepth/config/model_options.h"

// The operators of a network graph: plain values, each with the attributes that it computes with.
// Each makes one value from its inputs; the comment names these inputs. What else an operator is
// (shape rule, kernel, its form in ONNX) is its entry in the operator table, operator_table.h.
//
// The formulas are those of the ONNX operator of the same name where there is one
// (https://onnx.ai/onnx/operators).
namespace dualdepth::graph {

// Of any rank; a map is [N, C, H, W].
using Shape = std::vector<int64_t>;
using NodeId = size_t;
using Pair = std::array<int64_t, 2>;  // of height and width

struct Input {  // none
  std::string name;
};
struct Affine {  // x [N, C, ...]: x * scale[c] + shift[c], both float [C]
  torch::Tensor scale, shift;
};
struct Conv {            // x: cross-correlation with zero padding
  torch::Tensor weight;  // float [O, C / groups, kh, kw]
  torch::Tensor bias;    // float [O]
  Pair stride{1, 1};
  Pair padding{0, 0};  // on both sides of height and width
  Pair dilation{1, 1};
  // Of filters that are whole multiples of a scale, -128..127 or of 16 bits: float [1], or [O] one
  // for each filter. Undefined: float filters.
  torch::Tensor weight_scale = {};
  int64_t groups = 1;
};
struct Relu {};     // x: max(x, 0)
struct Sigmoid {};  // x: 1 / (1 + exp(-x))
struct Add {};      // a, b: a + b, broadcast
struct MaxPool {    // x: slides as Conv does, padding never wins
  Pair kernel, stride, padding;
  Pair dilation{1, 1};
};
struct Upsample {  // x: nearest, whole factor in height and width
  int64_t factor = 2;
};
struct Concat {  // one or more values that differ along `axis` only
  int64_t axis = 1;
};
struct ArgMax {};  // x: index of the greatest channel, the first of equals; int64 [N, 1, H, W]
// x: quantized to 2^bits codes, s (clamp(round(x / s) + z, first, last) - z), half to even. In a
// file: QuantizeLinear and DequantizeLinear.
struct FakeQuantize {
  float scale = 1;
  int64_t zero_point = 0;
  bool is_signed = false;
  int64_t bits = 8;  // or 16

  int64_t first_code() const { return is_signed ? -(int64_t{1} << (bits - 1)) : 0; }
  int64_t last_code() const { return first_code() + (int64_t{1} << bits) - 1; }

  bool operator==(const FakeQuantize&) const = default;
};
// Metres, by the kind of the head of what it returned; not of a Hilbert head.
//   categorical  level, fraction: DepthCodec::decode
//   cumulative   position on the level axis: position_to_depth
//   sigmoid      the sigmoid's value: as plain_depth
struct ComposeDepth {
  HeadKind head = HeadKind::kCategorical;
  CodecOptions codec = {};
};

struct Constant {  // none
  torch::Tensor value;
};

// An operator that the table does not have, kept as the node of its file. The quantizers leave it
// in float. `type` names it: "Einsum".
struct Foreign {  // the computed values that the node reads
  std::string type;
  // The bytes of an ONNX model of that node only: its inputs are those of the graph's node, in
  // order; its initializers are the constants that the node reads; it has one output.
  std::string model;
  size_t output = 0;  // which of the node's outputs the value is
  Shape shape;        // for the graph's own size of picture
  torch::ScalarType element = torch::kFloat32;
  // Supplied by a runtime that has the operator; empty: the node can be written, not computed.
  std::function<torch::Tensor(std::span<const torch::Tensor> inputs)> compute = {};
};

// x: the gradient of a convolution towards its input, as torch::conv_transpose2d computes it.
struct ConvTranspose {
  torch::Tensor weight;  // float [C, O / groups, kh, kw]
  torch::Tensor bias;    // float [O]
  Pair stride{1, 1};
  Pair padding{0, 0};  // cut off on both sides of height and width
  Pair dilation{1, 1};
  Pair output_padding{0, 0};  // lines added below and to the right
  int64_t groups = 1;
  torch::Tensor weight_scale = {};  // as Conv's; [O] where the filters lie along one axis of weight
};
struct Linear {  // x [..., I]: x weight^T + bias, [..., O]; Gemm and MatMul with a constant
  torch::Tensor weight, bias;  // float [O, I] and [O]
};
struct MatMul {};  // a, b: as torch::matmul

enum class BinaryFunction { kMul, kSub, kDiv, kMin, kMax, kPow };
struct Binary {  // a, b: element-wise, broadcast
  BinaryFunction function;
};
enum class UnaryFunction {
  kTanh,
  kExp,
  kLog,
  kSqrt,
  kAbs,
  kNeg,
  kReciprocal,
  kFloor,
  kCeil,
  kRound,  // half to even
  kErf,
  kSoftplus,
  kHardSwish,  // x clamp(x / 6 + 1 / 2, 0, 1)
  kMish
};
struct Unary {  // x: element-wise
  UnaryFunction function;
};
struct Clip {  // x: min(max(x, low), high); ReLU6 is {0, 6}
  float low, high;
};
struct HardSigmoid {  // x: clamp(alpha x + beta, 0, 1)
  float alpha = 0.2F, beta = 0.5F;
};
struct LeakyRelu {  // x: x >= 0 ? x : slope x
  float slope = 0.01F;
};
struct PRelu {          // x: as LeakyRelu
  torch::Tensor slope;  // float, broadcasts to x
};
struct Softmax {  // x: exp(x) / sum exp(x) along the axis
  int64_t axis = 1;
};
struct AveragePool {  // x: mean over a window
  Pair kernel, stride, padding;
  enum class Padding { kIgnored, kCountedAsZero } counts = Padding::kIgnored;
};
enum class ReduceFunction { kMean, kSum, kMax, kMin };
struct Reduce {  // x: over the axes, each of which then has size 1
  ReduceFunction function;
  std::vector<int64_t> axes;  // ascending, from 0
};

// x: a map at other sizes of height and width. Output pixel i lies at a coordinate of the input,
//
//   half pixel          (i + 1/2) / factor - 1/2      (kHalfPixelOrZero: 0 where the output is one
//   asymmetric          i / factor                     pixel long)
//   corners aligned     i (in - 1) / (out - 1)
//
// and takes the nearest pixel or the linear interpolation of the two beside it, in both directions.
enum class Interpolation { kNearest, kLinear };
enum class Coordinates { kHalfPixel, kHalfPixelOrZero, kAsymmetric, kAlignedCorners };
enum class Nearest { kHalfDown, kHalfUp, kFloor, kCeil };
struct Resize {
  Interpolation interpolation = Interpolation::kLinear;
  Coordinates coordinates = Coordinates::kHalfPixel;
  Nearest nearest = Nearest::kHalfDown;
  std::array<float, 2> factors{1, 1};  // of height and width: floor(size * factor)
  std::optional<Pair> sizes = {};      // instead of factors
};

struct Pad {  // x: numbers added before and after each axis (negative: cut off)
  enum class Mode { kConstant, kEdge, kReflect };
  std::vector<int64_t> before, after;
  Mode mode = Mode::kConstant;
  float value = 0;
};
struct Slice {  // x: of each of `axes` the indices start, start + step ... before end, as ONNX
                // counts
  std::vector<int64_t> axes, starts, ends, steps;
};
struct Transpose {  // x: axis i of the value is axis permutation[i] of x
  std::vector<int64_t> permutation;
};
struct Reshape {  // x: the same numbers in other sizes; 0: as x has it, -1: what is left
  std::vector<int64_t> sizes;
};
struct Squeeze {              // x: without these axes, each of size 1
  std::vector<int64_t> axes;  // ascending, from 0
};
struct Unsqueeze {            // x: with axes of size 1 at these places of the value
  std::vector<int64_t> axes;  // ascending, from 0
};
struct Expand {  // x: broadcast with these sizes
  std::vector<int64_t> sizes;
};
struct Gather {  // x: numbers at constant indices of one axis
  int64_t axis = 0;
  torch::Tensor indices;  // int64, of any shape
};
struct Cast {  // x
  torch::ScalarType type;
};

using Operation =
    std::variant<Input, Affine, Conv, Relu, Sigmoid, Add, MaxPool, Upsample, Concat, ArgMax,
                 FakeQuantize, ComposeDepth, Constant, Foreign, ConvTranspose, Linear, MatMul,
                 Binary, Unary, Clip, HardSigmoid, LeakyRelu, PRelu, Softmax, AveragePool, Reduce,
                 Resize, Pad, Slice, Transpose, Reshape, Squeeze, Unsqueeze, Expand, Gather, Cast>;

}  // namespace dualdepth::graph
