#include "dualdepth/graph/graph_view.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>

#include "dualdepth/graph/operator_table.h"

namespace dualdepth::graph {
namespace {

int64_t parameters_of(const Node& node) {
  return entry_of(node.operation).parameters(node.operation);
}

std::string by_sides(const Shape& shape) { return fmt::format("{}", fmt::join(shape, "x")); }

// What an operator has besides its inputs: "7x7 /2", "x2".
std::string details_of(const Node& node) {
  return entry_of(node.operation).details(node.operation);
}

std::string escaped(const std::string& text) {
  std::string out;
  for (const char c : text) {
    if (c == '&') {
      out += "&amp;";
    } else if (c == '<') {
      out += "&lt;";
    } else {
      out += c;
    }
  }
  return out;
}

// For each value that skips nodes the free lane beside the boxes that is nearest to them.
class Lanes {
 public:
  int take(NodeId from, NodeId to) {
    for (size_t lane = 0; lane < busy_until_.size(); ++lane) {
      if (busy_until_[lane] <= from) {
        busy_until_[lane] = to;
        return static_cast<int>(lane);
      }
    }
    busy_until_.push_back(to);
    return static_cast<int>(busy_until_.size()) - 1;
  }
  int count() const { return static_cast<int>(busy_until_.size()); }

 private:
  std::vector<NodeId> busy_until_;
};

}  // namespace

std::string graph_text(const Graph& graph) {
  const auto names = node_names(graph);
  size_t width = 4;
  for (const auto& name : names) width = std::max(width, name.size());
  std::string text = fmt::format("{:>4}  {:<{}}  {:<8} {:>16} {:>10} {:>9}  {}\n", "", "node",
                                 width, "", "shape", "parameters", "MMAC", "reads");
  int64_t parameters = 0;
  int64_t operations = 0;
  for (NodeId id = 0; id < graph.nodes().size(); ++id) {
    const Node& node = graph.node(id);
    const int64_t macs = multiply_accumulates(graph, id);
    parameters += parameters_of(node);
    operations += macs;
    text += fmt::format("{:>4}  {:<{}}  {:<8} {:>16} {:>10} {:>9.1f}  {}\n", id, names[id], width,
                        details_of(node), by_sides(node.shape), parameters_of(node),
                        static_cast<double>(macs) / 1e6, fmt::join(node.inputs, ", "));
  }
  for (const Output& output : graph.outputs()) {
    text += fmt::format("output {}: node {}, {}\n", output.name, output.node,
                        by_sides(graph.node(output.node).shape));
  }
  return text + fmt::format("{} nodes, {} parameters, {:.2f} GMAC\n", graph.nodes().size(),
                            parameters, static_cast<double>(operations) / 1e9);
}

std::string graph_svg(const Graph& graph) {
  constexpr int kBoxWidth = 420;
  constexpr int kBoxHeight = 24;
  constexpr int kPitch = 36;
  constexpr int kLane = 14;
  constexpr int kMargin = 16;
  const auto names = node_names(graph);
  const auto top_of = [](NodeId id) { return kMargin + kPitch * static_cast<int>(id); };
  std::string boxes;
  std::string lines;
  Lanes lanes;
  for (NodeId id = 0; id < graph.nodes().size(); ++id) {
    const Node& node = graph.node(id);
    boxes += fmt::format(
        R"(<rect x="{}" y="{}" width="{}" height="{}" rx="4" fill="{}" stroke="#8897a5"/>)"
        R"(<text x="{}" y="{}">{} {}</text><text x="{}" y="{}" text-anchor="end">{}</text>)"
        "\n",
        kMargin, top_of(id), kBoxWidth, kBoxHeight, entry_of(node.operation).color, kMargin + 8,
        top_of(id) + 16, escaped(names[id]), details_of(node), kMargin + kBoxWidth - 8,
        top_of(id) + 16, by_sides(node.shape));
    for (const NodeId input : node.inputs) {
      if (input + 1 == id) {
        lines += fmt::format("<path d=\"M{0} {1}V{2}\"/>\n", kMargin + kBoxWidth / 2,
                             top_of(input) + kBoxHeight, top_of(id));
        continue;
      }
      const int x = kMargin + kBoxWidth;
      const int lane = x + kLane * (1 + lanes.take(input, id));
      lines += fmt::format("<path d=\"M{0} {1}H{2}V{3}H{0}\"/>\n", x,
                           top_of(input) + kBoxHeight / 2, lane, top_of(id) + kBoxHeight / 2);
    }
  }
  const int height = top_of(graph.nodes().size()) + kMargin;
  const int width = 2 * kMargin + kBoxWidth + kLane * (lanes.count() + 1);
  return fmt::format(
             R"(<svg xmlns="http://www.w3.org/2000/svg" width="{0}" height="{1}" viewBox="0 0 {0} {1}" font-family="sans-serif" font-size="12">)"
             "\n<rect width=\"100%\" height=\"100%\" fill=\"#ffffff\"/>\n",
             width, height) +
         "<g fill=\"none\" stroke=\"#51606d\">\n" + lines + "</g>\n" + boxes + "</svg>\n";
}

}  // namespace dualdepth::graph
