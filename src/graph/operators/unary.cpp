#include <array>

#include "dualdepth/graph/graph.h"
#include "entries.h"

namespace dualdepth::graph {
namespace {

// One line a function.
struct Row {
  UnaryFunction function;
  const char* name;
  torch::Tensor (*compute)(const torch::Tensor&);
  int64_t first_opset;
};

using T = torch::Tensor;
using F = UnaryFunction;

constexpr std::array kRows{
    Row{F::kTanh, "Tanh", [](const T& x) { return x.tanh(); }, 6},
    Row{F::kExp, "Exp", [](const T& x) { return x.exp(); }, 6},
    Row{F::kLog, "Log", [](const T& x) { return x.log(); }, 6},
    Row{F::kSqrt, "Sqrt", [](const T& x) { return x.sqrt(); }, 6},
    Row{F::kAbs, "Abs", [](const T& x) { return x.abs(); }, 6},
    Row{F::kNeg, "Neg", [](const T& x) { return x.neg(); }, 6},
    Row{F::kReciprocal, "Reciprocal", [](const T& x) { return x.reciprocal(); }, 6},
    Row{F::kFloor, "Floor", [](const T& x) { return x.floor(); }, 6},
    Row{F::kCeil, "Ceil", [](const T& x) { return x.ceil(); }, 6},
    Row{F::kRound, "Round", [](const T& x) { return x.round(); }, 11},
    Row{F::kErf, "Erf", [](const T& x) { return x.erf(); }, 9},
    Row{F::kSoftplus, "Softplus", [](const T& x) { return torch::logaddexp(x, torch::zeros({})); },
        1},
    Row{F::kHardSwish, "HardSwish", [](const T& x) { return x * (x / 6 + 0.5).clamp(0, 1); }, 14},
    Row{F::kMish, "Mish",
        [](const T& x) { return x * torch::logaddexp(x, torch::zeros({})).tanh(); }, 18}};

const Row& row_of(const Unary& unary) { return kRows.at(static_cast<size_t>(unary.function)); }

std::vector<StandardForm> forms() {
  std::vector<StandardForm> all;
  for (const Row& row : kRows) {
    const auto read = [function = row.function](NodeReader& node) {
      return one(node.add(Unary{function}, {node.value(0)}));
    };
    all.push_back({.type = row.name, .read = read, .first_opset = row.first_opset});
  }
  return all;
}

// As others have it in older opsets: HardSwish was added in 14.
void write(const Unary& unary, NodeWriter& out) {
  const Row& row = row_of(unary);
  if (unary.function == F::kHardSwish && out.opset() < row.first_opset) {
    const auto gate =
        out.step({"HardSigmoid", {out.input()}, {{"alpha", 1.0F / 6}, {"beta", 0.5F}}});
    return out.finish(out.step({"Mul", {out.input(), gate}}));
  }
  if (unary.function == F::kMish && out.opset() < row.first_opset) {
    const auto gate = out.step({"Tanh", {out.step({"Softplus", {out.input()}})}});
    return out.finish(out.step({"Mul", {out.input(), gate}}));
  }
  out.make({row.name, {out.input()}});
}

// TensorProto.DataType of the types that a Cast makes.
struct CastType {
  int64_t number;
  torch::ScalarType type;
};
constexpr std::array kCastTypes{CastType{1, torch::kFloat32}, CastType{2, torch::kUInt8},
                                CastType{3, torch::kInt8},    CastType{5, torch::kInt16},
                                CastType{6, torch::kInt32},   CastType{7, torch::kInt64},
                                CastType{9, torch::kBool},    CastType{10, torch::kFloat16},
                                CastType{11, torch::kFloat64}};

std::vector<StandardValue> read_cast(NodeReader& node) {
  const int64_t to = node.integer("to", 0);
  node.integer("saturate", 1);  // both are about floats of 8 bits
  node.text("round_mode", "up");
  for (const CastType& known : kCastTypes) {
    if (known.number != to) continue;
    const auto from = node.operand(0).type;
    // ArgMax counts in int64 here, whatever integer a file makes of it.
    const bool index = from == torch::kInt64 && known.type == torch::kInt32;
    const bool levels = std::holds_alternative<ArgMax>(node.operand(0).operation);
    if (from == known.type || (index && levels)) return {node.input(0)};
    return one(node.add(Cast{known.type}, {node.value(0)}));
  }
  node.unsupported("a type of numbers of 8 bits or more", std::to_string(to));
}

}  // namespace

OperatorEntry unary_entry() {
  return make_entry<Unary>({
      .name = [](const Unary& unary) -> std::string_view { return row_of(unary).name; },
      .infer = [](const Unary& unary, const Operands& in) -> ValueType {
        const ValueType& x = in.only();
        const bool any = unary.function == F::kAbs || unary.function == F::kNeg;
        in.expect(any || at::isFloatingType(x.type), "a float input", toString(x.type));
        return x;
      },
      .compute = [](const Unary& unary, const Arguments& in) -> Value {
        return row_of(unary).compute(in.real());
      },
      .color = "#fde2c8",
      .forms = forms(),
      .write = write,
  });
}

OperatorEntry cast_entry() {
  return make_entry<Cast>({
      .name = named<Cast>("Cast"),
      .infer = [](const Cast& cast, const Operands& in) -> ValueType {
        return {in.only().shape, cast.type};
      },
      .compute = [](const Cast& cast,
                    const Arguments& in) { return Value(in.real().to(cast.type)); },
      .details = [](const Cast& cast) { return std::string(toString(cast.type)); },
      .forms = {{"Cast", read_cast, 6}},
      .write =
          [](const Cast& cast, NodeWriter& out) {
            for (const CastType& known : kCastTypes) {
              if (known.type == cast.type)
                out.make({"Cast", {out.input()}, {{"to", known.number}}});
            }
          },
  });
}

}  // namespace dualdepth::graph
