#include <algorithm>
#include <array>

#include "dualdepth/graph/graph.h"
#include "entries.h"

namespace dualdepth::graph {
namespace {

// The numbers of a constant that differs along the channels of a value x [N, C, ...] only, as [C];
// nothing for another constant. ONNX aligns shapes at their last dimension.
std::optional<torch::Tensor> each_channel(const torch::Tensor& constant, const Shape& x) {
  const auto rank = static_cast<int64_t>(x.size());
  if (constant.scalar_type() != torch::kFloat32 || rank < 2 || constant.dim() > rank) {
    return std::nullopt;
  }
  if (constant.numel() == 1) return constant.flatten().expand({x[1]}).clone();
  const int64_t channels_at = constant.dim() - rank + 1;
  if (channels_at < 0 || constant.numel() != x[1] || constant.size(channels_at) != x[1]) {
    return std::nullopt;
  }
  return constant.flatten().clone();
}

// Where only this node reads the convolution: its bias takes the sum.
bool add_to_bias(NodeReader& node, size_t map_at, const torch::Tensor& shift) {
  const NodeId id = node.value(map_at);
  const auto* conv = std::get_if<Conv>(&node.graph().node(id).operation);
  if (conv == nullptr || node.consumers(map_at) != 1) return false;
  Conv shifted = *conv;
  shifted.bias = conv->bias + shift;
  node.replace(id, std::move(shifted));
  return true;
}

// A value and a constant for each channel.
std::optional<NodeId> read_affine(NodeReader& node) {
  if (node.size() != 2 || node.is_constant(0) == node.is_constant(1)) return std::nullopt;
  const size_t map_at = node.is_constant(1) ? 0 : 1;
  const std::string& kind = node.type();
  if (map_at == 1 && kind != "Add" && kind != "Mul") return std::nullopt;
  if (node.operand(map_at).type != torch::kFloat32) return std::nullopt;
  const auto each = each_channel(node.constant(1 - map_at).value, node.operand(map_at).shape);
  if (!each) return std::nullopt;
  if (kind == "Add" && add_to_bias(node, map_at, *each)) return node.value(map_at);
  const auto ones = torch::ones_like(*each);
  const auto zeros = torch::zeros_like(*each);
  const NodeId id = node.value(map_at);
  if (kind == "Mul") return node.add(Affine{*each, zeros}, {id});
  if (kind == "Div") return node.add(Affine{each->reciprocal(), zeros}, {id});
  return node.add(Affine{ones, kind == "Add" ? *each : -*each}, {id});
}

struct BinaryRow {
  BinaryFunction function;
  const char* name;
  torch::Tensor (*compute)(const torch::Tensor&, const torch::Tensor&);
};

// ONNX divides whole numbers towards zero.
torch::Tensor divide(const torch::Tensor& a, const torch::Tensor& b) {
  return at::isFloatingType(a.scalar_type()) ? a / b : torch::div(a, b, "trunc");
}

using T = torch::Tensor;
using F = BinaryFunction;
constexpr std::array kBinaryRows{
    BinaryRow{F::kMul, "Mul", [](const T& a, const T& b) { return a * b; }},
    BinaryRow{F::kSub, "Sub", [](const T& a, const T& b) { return a - b; }},
    BinaryRow{F::kDiv, "Div", divide},
    BinaryRow{F::kMin, "Min", [](const T& a, const T& b) { return torch::minimum(a, b); }},
    BinaryRow{F::kMax, "Max", [](const T& a, const T& b) { return torch::maximum(a, b); }},
    BinaryRow{F::kPow, "Pow", [](const T& a, const T& b) { return torch::pow(a, b); }}};

const BinaryRow& row_of(const Binary& binary) {
  return kBinaryRows.at(static_cast<size_t>(binary.function));
}

// Min and Max of any number of inputs, two by two.
std::vector<StandardValue> read_arithmetic(NodeReader& node) {
  const bool many = node.type() == "Min" || node.type() == "Max";
  if (!many && node.size() != 2) node.fail("two inputs", std::to_string(node.size()));
  if (!many && node.type() != "Pow") {
    if (const auto affine = read_affine(node)) return one(*affine);
  }
  if (node.type() == "Add") return one(node.add(Add{}, {node.value(0), node.value(1)}));
  NodeId result = node.value(0);
  if (node.type() == "Pow" && node.operand(1).type != node.operand(0).type) {
    node.unsupported("base and exponent of one type", "two types");
  }
  for (const BinaryRow& row : kBinaryRows) {
    if (node.type() != row.name) continue;
    for (size_t i = 1; i < node.size(); ++i) {
      result = node.add(Binary{row.function}, {result, node.value(i)});
    }
  }
  return one(result);
}

std::vector<StandardForm> binary_forms() {
  std::vector<StandardForm> forms;
  for (const BinaryRow& row : kBinaryRows) {
    const bool many = row.function == F::kMin || row.function == F::kMax;
    forms.push_back({.type = row.name, .read = read_arithmetic, .first_opset = many ? 8 : 7});
  }
  return forms;
}

// gamma (x - mean) / sqrt(variance + epsilon) + beta.
std::vector<StandardValue> read_batch_norm(NodeReader& node) {
  node.expect("training_mode", 0, 0);
  node.number("momentum", 0.9F);  // of training
  const double epsilon = node.number("epsilon", 1e-5F);
  const auto numbers = [&](size_t i) { return node.constant(i).value.to(torch::kFloat64); };
  const auto scale64 = numbers(1) / (numbers(4) + epsilon).sqrt();
  const auto scale = scale64.to(torch::kFloat32);
  const auto shift = (numbers(2) - numbers(3) * scale64).to(torch::kFloat32);
  const NodeId id = node.value(0);
  const auto* conv = std::get_if<Conv>(&node.graph().node(id).operation);
  const bool folds = conv != nullptr && node.consumers(0) == 1 && !conv->weight_scale.defined() &&
                     scale.sizes() == conv->bias.sizes();
  if (!folds) return one(node.add(Affine{scale, shift}, {id}));
  Conv folded = *conv;
  folded.weight = conv->weight * scale.view({-1, 1, 1, 1});
  folded.bias = conv->bias * scale + shift;
  node.replace(id, std::move(folded));
  return one(id);
}

void write_affine(const Affine& affine, NodeWriter& out) {
  std::vector<int64_t> shape(out.graph().node(out.id()).shape.size(), 1);
  shape.at(1) = affine.scale.numel();
  std::string value = out.input();
  const bool scales = !affine.scale.eq(1).all().item<bool>();
  const bool shifts = !affine.shift.eq(0).all().item<bool>();
  if (scales || !shifts) {
    value = out.step({"Mul", {value, out.constant(out.parameter("scale"), affine.scale, shape)}});
  }
  if (shifts) {
    value = out.step({"Add", {value, out.constant(out.parameter("shift"), affine.shift, shape)}});
  }
  out.finish(value);
}

}  // namespace

torch::Tensor along_channels(const torch::Tensor& numbers, int64_t rank) {
  std::vector<int64_t> shape(static_cast<size_t>(std::max<int64_t>(rank, 2)), 1);
  shape[1] = -1;
  return numbers.view(shape);
}

OperatorEntry affine_entry() {
  return make_entry<Affine>({
      .name = named<Affine>("Affine"),
      .infer =
          [](const Affine& affine, const Operands& in) {
            const ValueType& x = in.only_float();
            in.expect(x.shape.size() >= 2, "an input [N, C, ...]", to_text(x.shape));
            in.expect_tensor("scale", affine.scale, {x.shape[1]});
            in.expect_tensor("shift", affine.shift, {x.shape[1]});
            return x;
          },
      .compute = [](const Affine& affine, const Arguments& in) -> Value {
        const auto x = in.real();
        return x * along_channels(affine.scale, x.dim()) + along_channels(affine.shift, x.dim());
      },
      .parameters = [](const Affine& affine) { return 2 * affine.scale.numel(); },
      .color = "#e9e0f2",
      .forms = {{"BatchNormalization", read_batch_norm, 9}},
      .write = write_affine,
  });
}

OperatorEntry add_entry() {
  return make_entry<Add>({
      .name = named<Add>("Add"),
      .infer = [](const Add&, const Operands& in) -> ValueType {
        in.expect_count(2);
        in.expect(in[0].type == in[1].type, "two inputs of one type", "two types");
        return {in.broadcast(), in[0].type};
      },
      .compute = [](const Add&, const Arguments& in) { return Value(in.real(0) + in.real(1)); },
      .color = "#d5f0d8",
      .forms = {{"Add", read_arithmetic, 7}},
      .write =
          [](const Add&, NodeWriter& out) {
            out.make({"Add", {out.input(0), out.input(1)}});
          },
  });
}

OperatorEntry binary_entry() {
  return make_entry<Binary>({
      .name = [](const Binary& binary) -> std::string_view { return row_of(binary).name; },
      .infer = [](const Binary&, const Operands& in) -> ValueType {
        in.expect_count(2);
        in.expect(in[0].type == in[1].type, "two inputs of one type", "two types");
        return {in.broadcast(), in[0].type};
      },
      .compute = [](const Binary& binary, const Arguments& in) -> Value {
        return row_of(binary).compute(in.real(0), in.real(1));
      },
      .color = "#d5f0d8",
      .forms = binary_forms(),
      .write =
          [](const Binary& binary, NodeWriter& out) {
            out.make({row_of(binary).name, out.inputs()});
          },
  });
}

}  // namespace dualdepth::graph
