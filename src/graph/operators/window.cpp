#include "window.h"

#include <fmt/format.h>

#include <algorithm>
#include <limits>

#include "dualdepth/graph/graph.h"
#include "entries.h"

namespace dualdepth::graph {
namespace {

constexpr float kInfinity = std::numeric_limits<float>::infinity();
constexpr int64_t kGreatest = 1 << 20;  // of a kernel, stride, dilation or padding

Pair read_pair(NodeReader& node, const char* name) {
  const auto values = node.integers(name, {1, 1});
  if (values.size() != 2) node.unsupported(fmt::format("two numbers in {}", name), "others");
  for (const int64_t value : values) {
    if (value < 1 || value > kGreatest) {
      node.fail(fmt::format("{} of 1 to {}", name, kGreatest), std::to_string(value));
    }
  }
  return {values[0], values[1]};
}

// auto_pad SAME_UPPER, SAME_LOWER: such that the result has ceil(size / stride) lines; the odd one
// lies behind or before.
void pad_to_same(Window& window, const Shape& map, bool upper) {
  for (size_t i = 0; i < 2; ++i) {
    const int64_t size = map[2 + i];
    const int64_t count = (size + window.stride[i] - 1) / window.stride[i];
    const int64_t reach = window.dilation[i] * (window.kernel[i] - 1) + 1;
    const int64_t total = std::max<int64_t>(0, (count - 1) * window.stride[i] + reach - size);
    window.pads.at(i) = upper ? total / 2 : total - total / 2;
    window.pads.at(i + 2) = total - window.pads.at(i);
  }
}

void read_pads(NodeReader& node, Window& window, const Shape& map) {
  const auto pads = node.integers("pads", {0, 0, 0, 0});
  const auto automatic = node.text("auto_pad", "NOTSET");
  if (automatic == "SAME_UPPER" || automatic == "SAME_LOWER") {
    return pad_to_same(window, map, automatic == "SAME_UPPER");
  }
  if (automatic == "VALID") return;
  if (automatic != "NOTSET") node.fail("auto_pad NOTSET, VALID or SAME_...", automatic);
  if (pads.size() != 4) node.unsupported("four numbers in pads", std::to_string(pads.size()));
  for (size_t i = 0; i < 4; ++i) {
    if (pads[i] < 0 || pads[i] > kGreatest) {
      node.fail(fmt::format("pads of 0 to {}", kGreatest), std::to_string(pads[i]));
    }
    window.pads.at(i) = pads[i];
  }
}

std::vector<StandardValue> read_max_pool(NodeReader& node) {
  const Shape map = node.operand(0).shape;
  const Window window = read_window(node, map);
  node.expect("ceil_mode", 0, 0);
  node.integer("storage_order", 0);  // of the second output, which the graph does not have
  if (node.operand(0).type != torch::kFloat32) node.unsupported("a float input", "another");
  // LibTorch pads equally on both sides, by at most half the kernel.
  const bool inside = window.is_symmetric() && 2 * window.pads[0] <= window.kernel[0] &&
                      2 * window.pads[1] <= window.kernel[1];
  const auto outside = inside ? std::array<int64_t, 4>{} : window.pads;
  const NodeId padded = add_padding(node, node.value(0), outside, -kInfinity);
  const Pair padding = inside ? window.padding() : Pair{0, 0};
  return one(node.add(MaxPool{window.kernel, window.stride, padding, window.dilation}, {padded}));
}

std::vector<StandardValue> read_average_pool(NodeReader& node) {
  const Shape map = node.operand(0).shape;
  const Window window = read_window(node, map);
  node.expect("ceil_mode", 0, 0);
  const auto counts = node.integer("count_include_pad", 0) != 0
                          ? AveragePool::Padding::kCountedAsZero
                          : AveragePool::Padding::kIgnored;
  if (window.dilation != Pair{1, 1}) node.unsupported("no dilation", "dilations");
  const bool inside = window.is_symmetric() && 2 * window.pads[0] <= window.kernel[0] &&
                      2 * window.pads[1] <= window.kernel[1];
  if (!inside && counts == AveragePool::Padding::kIgnored) {
    node.unsupported("equal padding of at most half the kernel", "another");
  }
  const auto outside = inside ? std::array<int64_t, 4>{} : window.pads;
  const NodeId padded = add_padding(node, node.value(0), outside, 0);
  const Pair padding = inside ? window.padding() : Pair{0, 0};
  return one(node.add(AveragePool{window.kernel, window.stride, padding, counts}, {padded}));
}

void write_max_pool(const MaxPool& pool, NodeWriter& out) {
  auto attributes = window_attributes(pool.kernel, pool.stride, pool.padding);
  if (pool.dilation != Pair{1, 1}) {
    attributes.emplace_back("dilations",
                            std::vector<int64_t>(pool.dilation.begin(), pool.dilation.end()));
  }
  out.make({"MaxPool", {out.input()}, attributes});
}

}  // namespace

Window read_window(NodeReader& node, const Shape& map, Pair kernel) {
  if (map.size() != 4) node.unsupported("a map [N, C, H, W]", to_text(map));
  Window window;
  window.kernel = kernel;
  if (kernel == Pair{0, 0} || node.has_attribute("kernel_shape")) {
    window.kernel = read_pair(node, "kernel_shape");
  }
  if (kernel != Pair{0, 0} && window.kernel != kernel) {
    node.fail(fmt::format("kernel_shape {}x{}, that of the weight", kernel[0], kernel[1]),
              fmt::format("{}x{}", window.kernel[0], window.kernel[1]));
  }
  window.stride = read_pair(node, "strides");
  window.dilation = read_pair(node, "dilations");
  read_pads(node, window, map);
  return window;
}

std::vector<NamedAttribute> window_attributes(Pair kernel, Pair stride, Pair padding) {
  return {{"kernel_shape", std::vector<int64_t>(kernel.begin(), kernel.end())},
          {"strides", std::vector<int64_t>(stride.begin(), stride.end())},
          {"pads", std::vector<int64_t>{padding[0], padding[1], padding[0], padding[1]}}};
}

OperatorEntry max_pool_entry() {
  return make_entry<MaxPool>({
      .name = named<MaxPool>("MaxPool"),
      .infer = [](const MaxPool& pool, const Operands& in) -> ValueType {
        for (size_t i = 0; i < 2; ++i) {
          in.expect(2 * pool.padding.at(i) <= pool.kernel.at(i),
                    "padding of at most half the kernel", std::to_string(pool.padding.at(i)));
        }
        return {in.slide(in.only_map(), pool.kernel, pool.stride, pool.padding, pool.dilation)};
      },
      .compute = [](const MaxPool& pool, const Arguments& in) -> Value {
        return torch::max_pool2d(in.real(), pool.kernel, pool.stride, pool.padding, pool.dilation);
      },
      .passes_values = [](const MaxPool&) { return true; },
      .details =
          [](const MaxPool& pool) {
            return fmt::format("{}x{} /{}", pool.kernel[0], pool.kernel[1], pool.stride[0]);
          },
      .color = "#f9d6d6",
      .forms = {{"MaxPool", read_max_pool}},
      .write = write_max_pool,
  });
}

OperatorEntry average_pool_entry() {
  return make_entry<AveragePool>({
      .name = named<AveragePool>("AveragePool"),
      .infer = [](const AveragePool& pool, const Operands& in) -> ValueType {
        for (size_t i = 0; i < 2; ++i) {
          in.expect(2 * pool.padding.at(i) <= pool.kernel.at(i),
                    "padding of at most half the kernel", std::to_string(pool.padding.at(i)));
        }
        return {in.slide(in.only_map(), pool.kernel, pool.stride, pool.padding, {1, 1})};
      },
      .compute = [](const AveragePool& pool, const Arguments& in) -> Value {
        const bool counted = pool.counts == AveragePool::Padding::kCountedAsZero;
        return torch::avg_pool2d(in.real(), pool.kernel, pool.stride, pool.padding,
                                 /*ceil_mode=*/false, counted);
      },
      .details =
          [](const AveragePool& pool) {
            return fmt::format("{}x{} /{}", pool.kernel[0], pool.kernel[1], pool.stride[0]);
          },
      .color = "#f9d6d6",
      .forms = {{"AveragePool", read_average_pool, 7}},
      .write =
          [](const AveragePool& pool, NodeWriter& out) {
            auto attributes = window_attributes(pool.kernel, pool.stride, pool.padding);
            const bool counted = pool.counts == AveragePool::Padding::kCountedAsZero;
            attributes.emplace_back("count_include_pad", int64_t{counted});
            out.make({"AveragePool", {out.input()}, attributes});
          },
  });
}

}  // namespace dualdepth::graph
