#include <algorithm>
#include <array>
#include <numeric>

#include "dualdepth/graph/graph.h"
#include "entries.h"

namespace dualdepth::graph {
namespace {

constexpr int64_t kInt32 = 6;  // TensorProto.DataType

std::vector<StandardValue> read_arg_max(NodeReader& node) {
  int64_t axis = node.integer("axis", 0);
  if (axis < 0) axis += static_cast<int64_t>(node.operand(0).shape.size());
  if (axis != 1) node.unsupported("axis 1", std::to_string(axis));
  const bool keeps = node.integer("keepdims", 1) != 0;
  node.expect("select_last_index", 0, 0);
  const NodeId level = node.add(ArgMax{}, {node.value(0)});
  return one(keeps ? level : node.add(Squeeze{{1}}, {level}));
}

void write_arg_max(const ArgMax&, NodeWriter& out) {
  WrittenNode node{"ArgMax", {out.input()}, {{"axis", int64_t{1}}, {"keepdims", int64_t{1}}}};
  if (!out.for_npu()) node.attributes.emplace_back("select_last_index", int64_t{0});
  if (out.profile() != OnnxProfile::kOpenVino) return out.make(node);
  const auto index = out.begin(node, "_index");
  out.end({"Cast", {index}, {{"to", kInt32}}}, "/Cast");
}

struct Row {
  ReduceFunction function;
  const char* name;
  torch::Tensor (*compute)(const torch::Tensor&, const std::vector<int64_t>&);
  int64_t axes_as_input;  // first opset in which the axes are an input
};

using T = torch::Tensor;
using Axes = std::vector<int64_t>;
constexpr std::array kRows{
    Row{ReduceFunction::kMean, "ReduceMean",
        [](const T& x, const Axes& axes) { return x.mean(axes, true); }, 18},
    Row{ReduceFunction::kSum, "ReduceSum",
        [](const T& x, const Axes& axes) { return x.sum(axes, true); }, 13},
    Row{ReduceFunction::kMax, "ReduceMax",
        [](const T& x, const Axes& axes) { return x.amax(axes, true); }, 18},
    Row{ReduceFunction::kMin, "ReduceMin",
        [](const T& x, const Axes& axes) { return x.amin(axes, true); }, 18}};

const Row& row_of(const Reduce& reduce) { return kRows.at(static_cast<size_t>(reduce.function)); }

std::vector<StandardValue> read_reduce(NodeReader& node) {
  const auto row = std::ranges::find_if(kRows, [&](const Row& r) { return node.type() == r.name; });
  const size_t rank = node.operand(0).shape.size();
  auto axes = node.integers_at("axes", 1, row->axes_as_input, {});
  const bool idle = node.integer("noop_with_empty_axes", 0) != 0;
  const bool keeps = node.integer("keepdims", 1) != 0;
  if (axes.empty() && idle) return {node.input(0)};
  if (axes.empty()) {
    axes.resize(rank);
    std::iota(axes.begin(), axes.end(), 0);
  }
  axes = ascending_axes(node, axes, rank);
  if (axes.empty()) return {node.input(0)};
  if (!at::isFloatingType(node.operand(0).type)) node.unsupported("a float input", "another");
  const NodeId reduced = node.add(Reduce{row->function, axes}, {node.value(0)});
  return one(keeps ? reduced : node.add(Squeeze{axes}, {reduced}));
}

std::vector<StandardValue> read_global_average(NodeReader& node) {
  std::vector<int64_t> axes(node.operand(0).shape.size());
  if (axes.size() < 3) node.fail("a map [N, C, ...]", to_text(node.operand(0).shape));
  std::iota(axes.begin(), axes.end(), 0);
  axes.erase(axes.begin(), axes.begin() + 2);
  const auto function =
      node.type() == "GlobalMaxPool" ? ReduceFunction::kMax : ReduceFunction::kMean;
  return one(node.add(Reduce{function, axes}, {node.value(0)}));
}

void write_reduce(const Reduce& reduce, NodeWriter& out) {
  const size_t rank = out.graph().node(out.id()).shape.size();
  const bool global = rank == 4 && reduce.axes == std::vector<int64_t>{2, 3};
  if (global && reduce.function == ReduceFunction::kMean) {
    return out.make({"GlobalAveragePool", {out.input()}});
  }
  const Row& row = row_of(reduce);
  if (out.opset() >= row.axes_as_input) {
    return out.make({row.name, {out.input(), out.integers("axes", reduce.axes)}});
  }
  out.make({row.name, {out.input()}, {{"axes", reduce.axes}}});
}

std::vector<StandardForm> reduce_forms() {
  std::vector<StandardForm> forms{{"GlobalAveragePool", read_global_average},
                                  {"GlobalMaxPool", read_global_average}};
  for (const Row& row : kRows) forms.push_back({.type = row.name, .read = read_reduce});
  return forms;
}

}  // namespace

std::vector<int64_t> ascending_axes(NodeReader& node, std::vector<int64_t> axes, size_t rank) {
  const auto count = static_cast<int64_t>(rank);
  for (int64_t& axis : axes) {
    if (axis < -count || axis >= count) {
      node.fail(fmt::format("axes of {} dimensions", rank), std::to_string(axis));
    }
    if (axis < 0) axis += count;
  }
  std::ranges::sort(axes);
  if (std::ranges::adjacent_find(axes) != axes.end()) node.fail("each axis once", "one twice");
  return axes;
}

OperatorEntry arg_max_entry() {
  return make_entry<ArgMax>({
      .name = named<ArgMax>("ArgMax"),
      .infer = [](const ArgMax&, const Operands& in) -> ValueType {
        Shape shape = in.only_float().shape;
        in.expect(shape.size() >= 2 && shape[1] >= 1, "an input [N, C, ...]", to_text(shape));
        shape[1] = 1;
        return {shape, torch::kInt64};
      },
      .compute = [](const ArgMax&, const Arguments& in) -> Value {
        // Half the time of torch.argmax; of equal values the first, too.
        return std::get<1>(in.real().max(1, /*keepdim=*/true));
      },
      .color = "#f7d0ea",
      .forms = {{"ArgMax", read_arg_max}},
      .write = write_arg_max,
  });
}

OperatorEntry reduce_entry() {
  return make_entry<Reduce>({
      .name = [](const Reduce& reduce) -> std::string_view { return row_of(reduce).name; },
      .infer = [](const Reduce& reduce, const Operands& in) -> ValueType {
        ValueType x = in.only_float();
        for (const int64_t axis : reduce.axes) {
          in.axis_of(axis, x.shape.size());
          in.expect(x.shape.at(static_cast<size_t>(axis)) > 0, "numbers to reduce", "none");
          x.shape.at(static_cast<size_t>(axis)) = 1;
        }
        return x;
      },
      .compute = [](const Reduce& reduce, const Arguments& in) -> Value {
        return row_of(reduce).compute(in.real(), reduce.axes);
      },
      .forms = reduce_forms(),
      .write = write_reduce,
  });
}

}  // namespace dualdepth::graph
