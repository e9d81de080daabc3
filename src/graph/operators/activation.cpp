#include <limits>

#include "dualdepth/graph/graph.h"
#include "entries.h"

namespace dualdepth::graph {
namespace {

constexpr float kLowest = std::numeric_limits<float>::lowest();
constexpr float kHighest = std::numeric_limits<float>::max();

template <class T>
ValueType same_type(const T&, const Operands& in) {
  return in.only_float();
}

// A bound of Clip: an attribute up to opset 10, an optional constant behind.
float read_bound(NodeReader& node, const char* name, size_t i, float otherwise) {
  if (node.opset() < 11) return node.number(name, otherwise);
  if (!node.has(i)) return otherwise;
  const auto& bound = node.constant(i).value;
  if (bound.numel() != 1 || bound.scalar_type() != torch::kFloat32) {
    node.unsupported("a float as bound", to_text(bound.sizes().vec()));
  }
  return bound.item<float>();
}

std::vector<StandardValue> read_clip(NodeReader& node) {
  const float low = read_bound(node, "min", 1, kLowest);
  const float high = read_bound(node, "max", 2, kHighest);
  if (node.operand(0).type != torch::kFloat32) node.unsupported("a float input", "another");
  return one(node.add(Clip{low, high}, {node.value(0)}));
}

void write_clip(const Clip& clip, NodeWriter& out) {
  if (out.opset() < 11) {
    return out.make({"Clip", {out.input()}, {{"min", clip.low}, {"max", clip.high}}});
  }
  const auto low = out.number("min", clip.low);
  out.make({"Clip", {out.input(), low, out.number("max", clip.high)}});
}

std::vector<StandardValue> read_prelu(NodeReader& node) {
  return one(node.add(PRelu{node.constant(1).value}, {node.value(0)}));
}

std::vector<StandardValue> read_softmax(NodeReader& node) {
  const auto rank = static_cast<int64_t>(node.operand(0).shape.size());
  int64_t axis = node.integer("axis", node.opset() < 13 ? 1 : -1);
  if (axis < 0) axis += rank;
  // Up to opset 12 the softmax was taken over all dimensions from the axis on.
  if (node.opset() < 13 && axis != rank - 1) {
    node.unsupported("a softmax over the last dimension in this opset", std::to_string(axis));
  }
  return one(node.add(Softmax{axis}, {node.value(0)}));
}

void write_softmax(const Softmax& softmax, NodeWriter& out) {
  out.make({"Softmax", {out.input()}, {{"axis", softmax.axis}}});
}

}  // namespace

OperatorEntry relu_entry() {
  return make_entry<Relu>({
      .name = named<Relu>("Relu"),
      .infer = same_type<Relu>,
      .compute = [](const Relu&, const Arguments& in) -> Value {
        const Value& x = in.values[0];
        if (x.is_sum()) return {x.sums().relu(), x.step()};
        return x.real().relu();
      },
      .color = "#fde2c8",
      .forms = {{"Relu", [](NodeReader& node) { return one(node.add(Relu{}, {node.value(0)})); }}},
      .write =
          [](const Relu&, NodeWriter& out) {
            out.make({"Relu", {out.input()}});
          },
  });
}

OperatorEntry sigmoid_entry() {
  return make_entry<Sigmoid>({
      .name = named<Sigmoid>("Sigmoid"),
      .infer = same_type<Sigmoid>,
      .compute = [](const Sigmoid&, const Arguments& in) { return Value(in.real().sigmoid()); },
      .color = "#fde2c8",
      .forms = {{"Sigmoid",
                 [](NodeReader& node) { return one(node.add(Sigmoid{}, {node.value(0)})); }}},
      .write =
          [](const Sigmoid&, NodeWriter& out) {
            out.make({"Sigmoid", {out.input()}});
          },
  });
}

OperatorEntry clip_entry() {
  return make_entry<Clip>({
      .name = named<Clip>("Clip"),
      .infer = same_type<Clip>,
      .compute = [](const Clip& clip, const Arguments& in) -> Value {
        const Value& x = in.values[0];
        if (!x.is_sum()) return x.real().clamp_min(clip.low).clamp_max(clip.high);
        const auto above = torch::maximum(x.sums(), clip.low / x.step());
        return {torch::minimum(above, clip.high / x.step()), x.step()};
      },
      .details = [](const Clip& clip) { return fmt::format("{:g}..{:g}", clip.low, clip.high); },
      .color = "#fde2c8",
      .forms = {{"Clip", read_clip, 6}},
      .write = write_clip,
  });
}

OperatorEntry hard_sigmoid_entry() {
  return make_entry<HardSigmoid>({
      .name = named<HardSigmoid>("HardSigmoid"),
      .infer = same_type<HardSigmoid>,
      .compute = [](const HardSigmoid& hard, const Arguments& in) -> Value {
        return (in.real() * hard.alpha + hard.beta).clamp(0, 1);
      },
      .color = "#fde2c8",
      .forms = {{"HardSigmoid",
                 [](NodeReader& node) {
                   const HardSigmoid hard{node.number("alpha", 0.2F), node.number("beta", 0.5F)};
                   return one(node.add(hard, {node.value(0)}));
                 },
                 6}},
      .write =
          [](const HardSigmoid& hard, NodeWriter& out) {
            out.make({"HardSigmoid", {out.input()}, {{"alpha", hard.alpha}, {"beta", hard.beta}}});
          },
  });
}

OperatorEntry leaky_relu_entry() {
  return make_entry<LeakyRelu>({
      .name = named<LeakyRelu>("LeakyRelu"),
      .infer = same_type<LeakyRelu>,
      .compute = [](const LeakyRelu& leaky, const Arguments& in) -> Value {
        return torch::leaky_relu(in.real(), leaky.slope);
      },
      .color = "#fde2c8",
      .forms = {{"LeakyRelu",
                 [](NodeReader& node) {
                   return one(node.add(LeakyRelu{node.number("alpha", 0.01F)}, {node.value(0)}));
                 },
                 6}},
      .write =
          [](const LeakyRelu& leaky, NodeWriter& out) {
            out.make({"LeakyRelu", {out.input()}, {{"alpha", leaky.slope}}});
          },
  });
}

OperatorEntry p_relu_entry() {
  return make_entry<PRelu>({
      .name = named<PRelu>("PRelu"),
      .infer = [](const PRelu& prelu, const Operands& in) -> ValueType {
        const ValueType& x = in.only_float();
        in.expect_tensor("slope", prelu.slope, prelu.slope.sizes().vec());
        const Operands both("PRelu", {x, {prelu.slope.sizes().vec()}});
        in.expect(both.broadcast() == x.shape, "a slope that broadcasts to the input",
                  to_text(prelu.slope.sizes().vec()));
        return x;
      },
      .compute = [](const PRelu& prelu, const Arguments& in) -> Value {
        const auto x = in.real();
        return torch::where(x.lt(0), x * prelu.slope, x);
      },
      .parameters = [](const PRelu& prelu) { return prelu.slope.numel(); },
      .color = "#fde2c8",
      .forms = {{"PRelu", read_prelu, 7}},
      .write =
          [](const PRelu& prelu, NodeWriter& out) {
            const auto sizes = prelu.slope.sizes().vec();
            out.make(
                {"PRelu", {out.input(), out.constant(out.parameter("slope"), prelu.slope, sizes)}});
          },
  });
}

OperatorEntry softmax_entry() {
  return make_entry<Softmax>({
      .name = named<Softmax>("Softmax"),
      .infer = [](const Softmax& softmax, const Operands& in) -> ValueType {
        const ValueType& x = in.only_float();
        in.axis_of(softmax.axis, x.shape.size());
        return x;
      },
      .compute = [](const Softmax& softmax, const Arguments& in) -> Value {
        return torch::softmax(in.real(), softmax.axis);
      },
      .forms = {{"Softmax", read_softmax}},
      .write = write_softmax,
  });
}

}  // namespace dualdepth::graph
