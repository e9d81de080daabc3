#include <algorithm>
#include <array>

#include "dualdepth/graph/graph.h"
#include "entries.h"

namespace dualdepth::graph {
namespace {

// The indices that a Slice takes of an axis: first, how many.
struct Run {
  int64_t first = 0, count = 0;
};

Run run_of(int64_t size, int64_t start, int64_t end, int64_t step) {
  // Clamped before they are added to: bounds near 2^63 mean "to the end".
  const auto resolve = [&](int64_t bound, int64_t low, int64_t high) {
    bound = std::clamp(bound, -size - 1, size);
    return std::clamp(bound < 0 ? bound + size : bound, low, high);
  };
  if (step > 0) {
    const int64_t first = resolve(start, 0, size);
    const int64_t last = resolve(end, 0, size);
    return {first, last <= first ? 0 : (last - first - 1) / step + 1};
  }
  const int64_t first = resolve(start, 0, size - 1);
  const int64_t last = resolve(end, -1, size - 1);
  return {first, first <= last ? 0 : (first - last - 1) / -step + 1};
}

ValueType infer_slice(const Slice& slice, const Operands& in) {
  ValueType x = in.only();
  const size_t count = slice.axes.size();
  in.expect(
      slice.starts.size() == count && slice.ends.size() == count && slice.steps.size() == count,
      "a start, end and step for each axis", "others");
  for (size_t i = 0; i < count; ++i) {
    const auto axis = static_cast<size_t>(in.axis_of(slice.axes[i], x.shape.size()));
    in.expect(slice.steps[i] != 0 && slice.steps[i] > -(int64_t{1} << 62), "steps other than 0",
              std::to_string(slice.steps[i]));
    const Run run = run_of(x.shape[axis], slice.starts[i], slice.ends[i], slice.steps[i]);
    x.shape[axis] = run.count;
  }
  return x;
}

Value compute_slice(const Slice& slice, const Arguments& in) {
  auto x = in.real();
  for (size_t i = 0; i < slice.axes.size(); ++i) {
    const int64_t axis = slice.axes[i];
    const int64_t step = slice.steps[i];
    const Run run = run_of(x.size(axis), slice.starts[i], slice.ends[i], step);
    const auto indices = torch::arange(run.count, torch::kInt64) * step + run.first;
    x = step == 1 ? x.narrow(axis, run.first, run.count) : x.index_select(axis, indices);
  }
  return x;
}

std::vector<StandardValue> read_slice(NodeReader& node) {
  Slice slice{.axes = {},
              .starts = node.integers_at("starts", 1, 10, {}),
              .ends = node.integers_at("ends", 2, 10, {}),
              .steps = {}};
  std::vector<int64_t> axes;
  for (size_t i = 0; i < slice.starts.size(); ++i) axes.push_back(static_cast<int64_t>(i));
  slice.axes = node.integers_at("axes", 3, 10, axes);
  const auto rank = static_cast<int64_t>(node.operand(0).shape.size());
  for (int64_t& axis : slice.axes) axis += axis < 0 ? rank : 0;
  slice.steps = std::vector<int64_t>(slice.starts.size(), 1);
  if (node.opset() >= 10 && node.has(4)) slice.steps = node.integers_of(4);
  return one(node.add(std::move(slice), {node.value(0)}));
}

// Parts of one axis, each a Slice.
std::vector<StandardValue> read_split(NodeReader& node, const std::vector<int64_t>& sizes,
                                      int64_t axis) {
  std::vector<StandardValue> parts;
  int64_t begin = 0;
  for (const int64_t size : sizes) {
    if (size < 0 || size > (int64_t{1} << 31)) node.fail("sizes of at least 0", to_text(sizes));
    parts.emplace_back(node.add(Slice{{axis}, {begin}, {begin + size}, {1}}, {node.value(0)}));
    begin += size;
  }
  if (begin != node.operand(0).shape.at(static_cast<size_t>(axis))) {
    node.fail("parts as long as the axis together", to_text(sizes));
  }
  return parts;
}

std::vector<StandardValue> read_split(NodeReader& node) {
  const Shape shape = node.operand(0).shape;
  const auto axis = ascending_axes(node, {node.integer("axis", 0)}, shape.size()).front();
  auto sizes = node.integers_at("split", 1, 13, {});
  const auto asked = node.integer("num_outputs", static_cast<int64_t>(node.outputs()));
  if (sizes.empty()) {
    if (asked < 1 || asked > 1 << 16) node.fail("one output or more", std::to_string(asked));
    const int64_t all = shape[static_cast<size_t>(axis)];
    const int64_t each = (all + asked - 1) / asked;
    for (int64_t i = 0; i < asked; ++i) {
      sizes.push_back(std::clamp<int64_t>(all - i * each, 0, each));
    }
  }
  return read_split(node, sizes, axis);
}

void write_slice(const Slice& slice, NodeWriter& out) {
  const bool steps = std::ranges::any_of(slice.steps, [](int64_t step) { return step != 1; });
  if (out.opset() < 10 && !steps) {
    return out.make({"Slice",
                     {out.input()},
                     {{"axes", slice.axes}, {"starts", slice.starts}, {"ends", slice.ends}}});
  }
  const auto starts = out.integers("starts", slice.starts);
  const auto ends = out.integers("ends", slice.ends);
  const auto axes = out.integers("axes", slice.axes);
  out.make({"Slice", {out.input(), starts, ends, axes, out.integers("steps", slice.steps)}});
}

constexpr std::array kModes{"constant", "edge", "reflect"};

ValueType infer_pad(const Pad& pad, const Operands& in) {
  ValueType x = in.only();
  in.expect(pad.before.size() == x.shape.size() && pad.after.size() == x.shape.size(),
            "padding before and after each axis", std::to_string(pad.before.size()));
  for (size_t i = 0; i < x.shape.size(); ++i) {
    const int64_t size = x.shape[i];
    if (pad.mode == Pad::Mode::kReflect) {
      in.expect(pad.before[i] < size && pad.after[i] < size, "less padding than numbers to reflect",
                fmt::format("{} and {}", pad.before[i], pad.after[i]));
    }
    in.expect(pad.mode != Pad::Mode::kEdge || size > 0, "numbers to repeat", "none");
    x.shape[i] = in.plus(in.plus(size, pad.before[i]), pad.after[i]);
    in.expect(x.shape[i] >= 0, "padding that cuts off no more than there is", to_text(x.shape));
  }
  return x;
}

Value compute_pad(const Pad& pad, const Arguments& in) {
  auto x = in.real();
  if (pad.mode == Pad::Mode::kConstant) {
    std::vector<int64_t> from_last;
    for (size_t i = pad.before.size(); i-- > 0;) {
      from_last.push_back(pad.before[i]);
      from_last.push_back(pad.after[i]);
    }
    return torch::constant_pad_nd(x, from_last, pad.value);
  }
  for (size_t i = 0; i < pad.before.size(); ++i) {
    const auto axis = static_cast<int64_t>(i);
    const int64_t size = x.size(axis);
    auto indices = torch::arange(-pad.before[i], size + pad.after[i], torch::kInt64);
    if (pad.mode == Pad::Mode::kReflect) {
      indices = indices.abs();
      indices = (size - 1) - (indices - (size - 1)).abs();
    }
    x = x.index_select(axis, indices.clamp(0, size - 1));
  }
  return x;
}

std::vector<StandardValue> read_pad(NodeReader& node) {
  const auto mode = node.text("mode", "constant");
  const auto known = std::ranges::find(kModes, mode);
  if (known == kModes.end()) node.unsupported("mode constant, edge or reflect", mode);
  const auto pads = node.integers_at("pads", 1, 11, {});
  const size_t rank = node.operand(0).shape.size();
  Pad pad{.before = std::vector<int64_t>(rank, 0),
          .after = std::vector<int64_t>(rank, 0),
          .mode = static_cast<Pad::Mode>(known - kModes.begin()),
          .value = node.opset() < 11 ? node.number("value", 0) : 0};
  if (node.opset() >= 11 && node.has(2)) {
    if (node.constant(2).value.numel() != 1) node.fail("one number as value", "others");
    pad.value = node.constant(2).value.to(torch::kFloat32).item<float>();
  }
  std::vector<int64_t> axes;
  for (size_t i = 0; i < rank; ++i) axes.push_back(static_cast<int64_t>(i));
  if (node.opset() >= 18 && node.has(3)) axes = node.integers_of(3);
  if (pads.size() != 2 * axes.size()) node.fail("two numbers an axis", std::to_string(pads.size()));
  for (size_t i = 0; i < axes.size(); ++i) {
    const auto axis = static_cast<size_t>(ascending_axes(node, {axes[i]}, rank).front());
    pad.before[axis] = pads[i];
    pad.after[axis] = pads[i + axes.size()];
  }
  return one(node.add(std::move(pad), {node.value(0)}));
}

void write_pad(const Pad& pad, NodeWriter& out) {
  std::vector<int64_t> pads = pad.before;
  pads.insert(pads.end(), pad.after.begin(), pad.after.end());
  const char* mode = kModes.at(static_cast<size_t>(pad.mode));
  if (out.opset() < 11) {
    return out.make({"Pad", {out.input()}, {{"mode", mode}, {"pads", pads}, {"value", pad.value}}});
  }
  const auto sizes = out.integers("pads", pads);
  out.make({"Pad", {out.input(), sizes, out.number("value", pad.value)}, {{"mode", mode}}});
}

}  // namespace

NodeId add_padding(NodeReader& node, NodeId value, const std::array<int64_t, 4>& pads,
                   float number) {
  if (pads == std::array<int64_t, 4>{}) return value;
  return node.add(
      Pad{.before = {0, 0, pads[0], pads[1]}, .after = {0, 0, pads[2], pads[3]}, .value = number},
      {value});
}

OperatorEntry slice_entry() {
  return make_entry<Slice>({
      .name = named<Slice>("Slice"),
      .infer = infer_slice,
      .compute = compute_slice,
      .passes_values = [](const Slice&) { return true; },
      .forms = {{"Slice", read_slice},
                {"Split", [](NodeReader& node) { return read_split(node); }, 2}},
      .write = write_slice,
  });
}

OperatorEntry pad_entry() {
  return make_entry<Pad>({
      .name = named<Pad>("Pad"),
      .infer = infer_pad,
      .compute = compute_pad,
      .passes_values =
          [](const Pad& pad) { return pad.mode != Pad::Mode::kConstant || pad.value == 0; },
      .forms = {{"Pad", read_pad, 2}},
      .write = write_pad,
  });
}

}  // namespace dualdepth::graph
