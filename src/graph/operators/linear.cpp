#include <algorithm>

#include "dualdepth/graph/graph.h"
#include "entries.h"

namespace dualdepth::graph {
namespace {

ValueType infer_linear(const Linear& linear, const Operands& in) {
  ValueType x = in.only_float();
  in.expect(!x.shape.empty(), "an input [..., I]", "a number");
  in.expect(linear.weight.defined() && linear.weight.dim() == 2, "weight [O, I]", "another");
  in.expect_tensor("weight", linear.weight, {linear.weight.size(0), x.shape.back()});
  in.expect_tensor("bias", linear.bias, {linear.weight.size(0)});
  x.shape.back() = linear.weight.size(0);
  return x;
}

ValueType infer_mat_mul(const MatMul&, const Operands& in) {
  in.expect_count(2);
  in.expect(in[0].type == in[1].type, "two inputs of one type", "two types");
  Shape a = in[0].shape;
  Shape b = in[1].shape;
  in.expect(!a.empty() && !b.empty(), "matrices", "a number");
  const bool row = a.size() == 1;
  const bool column = b.size() == 1;
  if (row) a.insert(a.begin(), 1);
  if (column) b.push_back(1);
  in.expect(a.back() == b[b.size() - 2], "matrices that can be multiplied",
            to_text(a) + " and " + to_text(b));
  const Operands outer("MatMul",
                       {{Shape(a.begin(), a.end() - 2)}, {Shape(b.begin(), b.end() - 2)}});
  Shape shape = outer.broadcast();
  if (!row) shape.push_back(a[a.size() - 2]);
  if (!column) shape.push_back(b.back());
  return {shape, in[0].type};
}

bool is_matrix(NodeReader& node, size_t i) {
  return node.is_constant(i) && node.constant(i).value.dim() == 2 &&
         node.constant(i).value.scalar_type() == torch::kFloat32;
}

std::vector<StandardValue> read_mat_mul(NodeReader& node) {
  if (!is_matrix(node, 1)) return one(node.add(MatMul{}, {node.value(0), node.value(1)}));
  const auto weight = node.constant(1).value.t().contiguous();
  return one(node.add(Linear{weight, torch::zeros({weight.size(0)})}, {node.value(0)}));
}

// A' B' alpha + beta C.
std::vector<StandardValue> read_gemm(NodeReader& node) {
  const float alpha = node.number("alpha", 1);
  const float beta = node.number("beta", 1);
  const bool transposes_b = node.integer("transB", 0) != 0;
  NodeId a = node.value(0);
  if (node.integer("transA", 0) != 0) a = node.add(Transpose{{1, 0}}, {a});
  if (!is_matrix(node, 1)) node.unsupported("a constant matrix as second factor", "another");
  const auto& b = node.constant(1).value;
  const auto weight = ((transposes_b ? b : b.t()) * alpha).contiguous();
  auto bias = torch::zeros({weight.size(0)});
  if (!node.has(2)) return one(node.add(Linear{weight, bias}, {a}));
  const bool each = node.is_constant(2) && (node.constant(2).value.numel() == 1 ||
                                            (node.constant(2).value.numel() == weight.size(0) &&
                                             node.constant(2).value.size(-1) == weight.size(0)));
  if (each) {
    bias = (node.constant(2).value.flatten() * beta).expand({weight.size(0)}).contiguous();
    return one(node.add(Linear{weight, bias}, {a}));
  }
  const NodeId product = node.add(Linear{weight, bias}, {a});
  const NodeId factor = node.add(Constant{torch::tensor(beta)}, {});
  const NodeId addend = node.add(Binary{BinaryFunction::kMul}, {node.value(2), factor});
  return one(node.add(Add{}, {product, addend}));
}

void write_linear(const Linear& linear, NodeWriter& out) {
  const auto matrix = linear.weight.t().contiguous();
  const auto weight = out.constant(out.parameter("weight"), matrix, matrix.sizes().vec());
  const bool shifts = !linear.bias.eq(0).all().item<bool>();
  if (!shifts) return out.make({"MatMul", {out.input(), weight}});
  const auto product = out.step({"MatMul", {out.input(), weight}});
  const auto bias = out.constant(out.parameter("bias"), linear.bias, linear.bias.sizes().vec());
  out.finish(out.step({"Add", {product, bias}}));
}

}  // namespace

OperatorEntry linear_entry() {
  return make_entry<Linear>({
      .name = named<Linear>("Linear"),
      .infer = infer_linear,
      .compute = [](const Linear& linear, const Arguments& in) -> Value {
        return torch::matmul(in.real(), linear.weight.t()) + linear.bias;
      },
      .multiply_accumulates =
          [](const Linear& linear, const Shape& value) {
            int64_t rows = 1;
            for (size_t i = 0; i + 1 < value.size(); ++i) rows *= value[i];
            return rows * linear.weight.numel();
          },
      .parameters =
          [](const Linear& linear) { return linear.weight.numel() + linear.bias.numel(); },
      .color = "#cfe3ff",
      .forms = {{"Gemm", read_gemm, 7}},
      .write = write_linear,
  });
}

OperatorEntry mat_mul_entry() {
  return make_entry<MatMul>({
      .name = named<MatMul>("MatMul"),
      .infer = infer_mat_mul,
      .compute = [](const MatMul&, const Arguments& in) -> Value {
        return torch::matmul(in.real(0), in.real(1));
      },
      .color = "#cfe3ff",
      .forms = {{"MatMul", read_mat_mul}},
      .write =
          [](const MatMul&, NodeWriter& out) {
            out.make({"MatMul", out.inputs()});
          },
  });
}

}  // namespace dualdepth::graph
