// Operators that move numbers and compute nothing.

#include <algorithm>
#include <numeric>

#include "dualdepth/graph/graph.h"
#include "entries.h"

namespace dualdepth::graph {
namespace {

ValueType infer_concat(const Concat& concat, const Operands& in) {
  in.expect(in.size() > 0, "inputs", "none");
  ValueType all = in[0];
  const auto axis = static_cast<size_t>(in.axis_of(concat.axis, all.shape.size()));
  for (size_t i = 1; i < in.size(); ++i) {
    Shape other = in[i].shape;
    in.expect(other.size() == all.shape.size() && in[i].type == all.type,
              "inputs of one rank and type", to_text(other));
    const int64_t size = other[axis];
    other[axis] = all.shape[axis];
    in.expect(other == all.shape, "inputs that differ along the axis only",
              to_text(all.shape) + " and " + to_text(in[i].shape));
    all.shape[axis] = in.plus(all.shape[axis], size);
  }
  return all;
}

Value compute_concat(const Concat& concat, const Arguments& in) {
  std::vector<torch::Tensor> parts;
  parts.reserve(in.values.size());
  for (const Value& value : in.values) parts.push_back(value.real());
  return torch::cat(parts, concat.axis);
}

std::vector<StandardValue> read_concat(NodeReader& node) {
  std::vector<NodeId> inputs;
  for (size_t i = 0; i < node.size(); ++i) inputs.push_back(node.value(i));
  if (inputs.empty()) node.fail("inputs", "none");
  int64_t axis = node.integer("axis", 1);
  const auto rank = static_cast<int64_t>(node.operand(0).shape.size());
  if (axis < 0) axis += rank;
  return one(node.add(Concat{axis}, std::move(inputs)));
}

ValueType infer_transpose(const Transpose& transpose, const Operands& in) {
  const ValueType& x = in.only();
  auto sorted = transpose.permutation;
  std::ranges::sort(sorted);
  Shape all(x.shape.size());
  std::iota(all.begin(), all.end(), 0);
  in.expect(sorted == all, "a permutation of the axes", to_text(transpose.permutation));
  ValueType moved = x;
  for (size_t i = 0; i < all.size(); ++i) {
    moved.shape[i] = x.shape[static_cast<size_t>(transpose.permutation[i])];
  }
  return moved;
}

std::vector<StandardValue> read_transpose(NodeReader& node) {
  std::vector<int64_t> reversed(node.operand(0).shape.size());
  std::iota(reversed.rbegin(), reversed.rend(), 0);
  return one(node.add(Transpose{node.integers("perm", reversed)}, {node.value(0)}));
}

ValueType infer_expand(const Expand& expand, const Operands& in) {
  const ValueType& x = in.only();
  in.expect(std::ranges::all_of(expand.sizes, [](int64_t size) { return size >= 0; }),
            "sizes of at least 0", to_text(expand.sizes));
  const Operands both("Expand", {x, {expand.sizes}});
  const Shape shape = both.broadcast();
  int64_t count = 1;
  for (const int64_t size : shape) count = in.times(count, size);
  return {shape, x.type};
}

ValueType infer_gather(const Gather& gather, const Operands& in) {
  const ValueType& x = in.only();
  const auto axis = static_cast<size_t>(in.axis_of(gather.axis, x.shape.size()));
  const int64_t size = x.shape[axis];
  in.expect(gather.indices.ge(-size).logical_and(gather.indices.lt(size)).all().item<bool>(),
            fmt::format("indices of {} numbers", size), "others");
  Shape shape(x.shape.begin(), x.shape.begin() + static_cast<std::ptrdiff_t>(axis));
  shape.insert(shape.end(), gather.indices.sizes().begin(), gather.indices.sizes().end());
  shape.insert(shape.end(), x.shape.begin() + static_cast<std::ptrdiff_t>(axis) + 1, x.shape.end());
  return {shape, x.type};
}

Value compute_gather(const Gather& gather, const Arguments& in) {
  const auto x = in.real();
  const auto flat = gather.indices.flatten();
  const auto positive = torch::where(flat.lt(0), flat + x.size(gather.axis), flat);
  const auto taken = x.index_select(gather.axis, positive);
  Shape sizes = x.sizes().vec();
  const auto at = sizes.begin() + gather.axis;
  const auto after = sizes.erase(at);
  sizes.insert(after, gather.indices.sizes().begin(), gather.indices.sizes().end());
  return taken.reshape(sizes);
}

std::vector<StandardValue> read_gather(NodeReader& node) {
  const auto& indices = node.constant(1).value;
  if (!at::isIntegralType(indices.scalar_type(), false)) node.fail("whole numbers", "others");
  const size_t rank = node.operand(0).shape.size();
  const int64_t axis = ascending_axes(node, {node.integer("axis", 0)}, rank).front();
  return one(node.add(Gather{axis, indices.to(torch::kInt64)}, {node.value(0)}));
}

}  // namespace

OperatorEntry concat_entry() {
  return make_entry<Concat>({
      .name = named<Concat>("Concat"),
      .infer = infer_concat,
      .compute = compute_concat,
      .passes_values = [](const Concat&) { return true; },
      .color = "#d5f0d8",
      .forms = {{"Concat", read_concat, 4}},
      .write =
          [](const Concat& concat, NodeWriter& out) {
            out.make({"Concat", out.inputs(), {{"axis", concat.axis}}});
          },
  });
}

OperatorEntry transpose_entry() {
  return make_entry<Transpose>({
      .name = named<Transpose>("Transpose"),
      .infer = infer_transpose,
      .compute = [](const Transpose& transpose, const Arguments& in) -> Value {
        return in.real().permute(transpose.permutation);
      },
      .passes_values = [](const Transpose&) { return true; },
      .forms = {{"Transpose", read_transpose}},
      .write =
          [](const Transpose& transpose, NodeWriter& out) {
            out.make({"Transpose", {out.input()}, {{"perm", transpose.permutation}}});
          },
  });
}

OperatorEntry expand_entry() {
  return make_entry<Expand>({
      .name = named<Expand>("Expand"),
      .infer = infer_expand,
      .compute = [](const Expand& expand, const Arguments& in) -> Value {
        const auto x = in.real();
        return torch::broadcast_tensors({x, torch::empty(expand.sizes)})[0].contiguous();
      },
      .passes_values = [](const Expand&) { return true; },
      .forms = {{"Expand",
                 [](NodeReader& node) {
                   return one(node.add(Expand{node.integers_of(1)}, {node.value(0)}));
                 },
                 8}},
      .write =
          [](const Expand& expand, NodeWriter& out) {
            out.make({"Expand", {out.input(), out.integers("shape", expand.sizes)}});
          },
  });
}

OperatorEntry gather_entry() {
  return make_entry<Gather>({
      .name = named<Gather>("Gather"),
      .infer = infer_gather,
      .compute = compute_gather,
      .passes_values = [](const Gather&) { return true; },
      .forms = {{"Gather", read_gather}},
      .write =
          [](const Gather& gather, NodeWriter& out) {
            const auto sizes = gather.indices.sizes().vec();
            const auto indices = out.constant(out.parameter("indices"), gather.indices, sizes);
            out.make({"Gather", {out.input(), indices}, {{"axis", gather.axis}}});
          },
  });
}

}  // namespace dualdepth::graph
