#include <algorithm>
#include <functional>
#include <numeric>

#include "dualdepth/graph/graph.h"
#include "entries.h"

namespace dualdepth::graph {
namespace {

int64_t count_of(const Operands& in, const Shape& shape) {
  int64_t count = 1;
  for (const int64_t size : shape) count = in.times(count, size);
  return count;
}

Shape resolved(const Reshape& reshape, const Shape& x) {
  Shape sizes = reshape.sizes;
  for (size_t i = 0; i < sizes.size(); ++i) {
    if (sizes[i] == 0) sizes[i] = x.at(i);
  }
  return sizes;
}

ValueType infer_reshape(const Reshape& reshape, const Operands& in) {
  ValueType x = in.only();
  in.expect(std::ranges::count(reshape.sizes, -1) <= 1 &&
                std::ranges::all_of(reshape.sizes, [](int64_t size) { return size >= -1; }),
            "sizes, of which one may be -1", to_text(reshape.sizes));
  for (size_t i = x.shape.size(); i < reshape.sizes.size(); ++i) {
    in.expect(reshape.sizes[i] != 0, "a size to copy", to_text(x.shape));
  }
  Shape sizes = resolved(reshape, x.shape);
  const int64_t count = count_of(in, x.shape);
  const auto open = std::ranges::find(sizes, -1);
  if (open != sizes.end()) {
    *open = 1;
    const int64_t others = count_of(in, sizes);
    in.expect(others > 0 && count % others == 0, "sizes that divide " + to_text(x.shape),
              to_text(reshape.sizes));
    *open = count / others;
  }
  in.expect(count_of(in, sizes) == count, fmt::format("sizes of {} numbers", count),
            to_text(sizes));
  return {sizes, x.type};
}

std::vector<StandardValue> read_reshape(NodeReader& node) {
  auto sizes = node.integers_at("shape", 1, 5, {});
  if (node.integer("allowzero", 0) != 0 && std::ranges::count(sizes, 0) > 0) {
    node.unsupported("sizes above 0", to_text(sizes));
  }
  return one(node.add(Reshape{std::move(sizes)}, {node.value(0)}));
}

// [d_0 ... d_(axis-1), d_axis ... ]
std::vector<StandardValue> read_flatten(NodeReader& node) {
  const Shape shape = node.operand(0).shape;
  const auto rank = static_cast<int64_t>(shape.size());
  int64_t axis = node.integer("axis", 1);
  if (axis < -rank || axis > rank) node.fail("an axis of the input", std::to_string(axis));
  if (axis < 0) axis += rank;
  if (axis == 1) return one(node.add(Reshape{{0, -1}}, {node.value(0)}));
  if (axis == rank) return one(node.add(Reshape{{-1, 1}}, {node.value(0)}));
  if (!node.is_constant(0)) node.expect_fixed_size();
  const int64_t before =
      std::accumulate(shape.begin(), shape.begin() + axis, int64_t{1}, std::multiplies<>());
  return one(node.add(Reshape{{before, -1}}, {node.value(0)}));
}

ValueType infer_squeeze(const Squeeze& squeeze, const Operands& in) {
  ValueType x = in.only();
  for (size_t i = squeeze.axes.size(); i-- > 0;) {
    const auto axis = static_cast<size_t>(in.axis_of(squeeze.axes[i], x.shape.size()));
    in.expect(x.shape[axis] == 1, fmt::format("size 1 of axis {}", axis), to_text(x.shape));
    x.shape.erase(x.shape.begin() + static_cast<std::ptrdiff_t>(axis));
  }
  return x;
}

std::vector<StandardValue> read_squeeze(NodeReader& node) {
  const Shape shape = node.operand(0).shape;
  auto axes = node.integers_at("axes", 1, 13, {});
  if (axes.empty()) {
    for (size_t i = 0; i < shape.size(); ++i) {
      if (shape[i] == 1) axes.push_back(static_cast<int64_t>(i));
    }
  }
  return one(node.add(Squeeze{ascending_axes(node, axes, shape.size())}, {node.value(0)}));
}

ValueType infer_unsqueeze(const Unsqueeze& unsqueeze, const Operands& in) {
  ValueType x = in.only();
  for (const int64_t axis : unsqueeze.axes) {
    in.expect(axis >= 0 && axis <= static_cast<int64_t>(x.shape.size()), "axes of the value",
              std::to_string(axis));
    x.shape.insert(x.shape.begin() + axis, 1);
  }
  return x;
}

std::vector<StandardValue> read_unsqueeze(NodeReader& node) {
  const auto axes = node.integers_at("axes", 1, 13, {});
  const size_t rank = node.operand(0).shape.size() + axes.size();
  return one(node.add(Unsqueeze{ascending_axes(node, axes, rank)}, {node.value(0)}));
}

void write_axes(const char* type, const std::vector<int64_t>& axes, NodeWriter& out) {
  if (out.opset() < 13) return out.make({type, {out.input()}, {{"axes", axes}}});
  out.make({type, {out.input(), out.integers("axes", axes)}});
}

}  // namespace

OperatorEntry reshape_entry() {
  return make_entry<Reshape>({
      .name = named<Reshape>("Reshape"),
      .infer = infer_reshape,
      .compute = [](const Reshape& reshape, const Arguments& in) -> Value {
        const auto x = in.real();
        return x.reshape(resolved(reshape, x.sizes().vec()));
      },
      .passes_values = [](const Reshape&) { return true; },
      .forms = {{"Reshape", read_reshape}, {"Flatten", read_flatten}},
      .write =
          [](const Reshape& reshape, NodeWriter& out) {
            out.make({"Reshape", {out.input(), out.integers("shape", reshape.sizes)}});
          },
  });
}

OperatorEntry squeeze_entry() {
  return make_entry<Squeeze>({
      .name = named<Squeeze>("Squeeze"),
      .infer = infer_squeeze,
      .compute = [](const Squeeze& squeeze, const Arguments& in) -> Value {
        return in.real().squeeze(squeeze.axes);
      },
      .passes_values = [](const Squeeze&) { return true; },
      .forms = {{"Squeeze", read_squeeze}},
      .write = [](const Squeeze& squeeze,
                  NodeWriter& out) { write_axes("Squeeze", squeeze.axes, out); },
  });
}

OperatorEntry unsqueeze_entry() {
  return make_entry<Unsqueeze>({
      .name = named<Unsqueeze>("Unsqueeze"),
      .infer = infer_unsqueeze,
      .compute = [](const Unsqueeze& unsqueeze, const Arguments& in) -> Value {
        auto x = in.real();
        for (const int64_t axis : unsqueeze.axes) x = x.unsqueeze(axis);
        return x;
      },
      .passes_values = [](const Unsqueeze&) { return true; },
      .forms = {{"Unsqueeze", read_unsqueeze}},
      .write = [](const Unsqueeze& unsqueeze,
                  NodeWriter& out) { write_axes("Unsqueeze", unsqueeze.axes, out); },
  });
}

}  // namespace dualdepth::graph
