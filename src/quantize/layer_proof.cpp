#include "dualdepth/quantize/layer_proof.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cmath>
#include <map>
#include <optional>
#include <set>
#include <utility>

#include "dualdepth/base/error.h"
#include "dualdepth/graph/filters.h"
#include "dualdepth/graph/patterns.h"
#include "dualdepth/graph/run_graph.h"

namespace dualdepth::quantize {
namespace {

using graph::ArgMax;
using graph::FakeQuantize;
using graph::Graph;
using graph::Input;
using graph::is;
using graph::NodeId;
using graph::Pictures;
using torch::Tensor;

int64_t size_of(const graph::Shape& shape) {
  int64_t size = 1;
  for (const int64_t length : shape) size *= length;
  return size;
}

// How many values of one layer differ, by channel.
struct Tally {
  std::string name;                 // of the value in the file
  const char* what = "";            // "codes"
  double share = 1;                 // that is to be equal
  Tensor total, differs;            // int64 [C]
  int64_t wrong = 0;                // by more than one code
  std::vector<int64_t> differs_in;  // by run of the file

  // differs: bool [N, C, ...].
  void add(const Tensor& differing, size_t run) {
    const bool channels = differing.dim() > 1;
    const int64_t count_of = channels ? differing.size(1) : 1;
    const auto by_channel =
        differing.any().item<bool>()
            ? differing.reshape({channels ? differing.size(0) : 1, count_of, -1}).sum({0, 2})
            : torch::zeros({count_of}, torch::kInt64);
    const auto count = torch::full_like(by_channel, differing.numel() / count_of);
    total = total.defined() ? total + count : count;
    differs = differs.defined() ? differs + by_channel : by_channel;
    differs_in.resize(std::max(differs_in.size(), run + 1));
    differs_in[run] += by_channel.sum().item<int64_t>();
  }

  bool holds() const { return wrong == 0 && is_few() && !worst_channel(); }

  bool is_few() const {
    return differs.sum().item<double>() <= (1 - share) * total.sum().item<double>();
  }

  // The channel with most differences where they are too many for one.
  std::optional<int64_t> worst_channel() const {
    const auto allowed = ((1 - share) * total.to(torch::kFloat64)).clamp_min(1);
    if (total.numel() < 2 || differs.le(allowed).all().item<bool>()) return std::nullopt;
    return (differs / total).argmax().item<int64_t>();
  }

  // Of the layer, or of a channel.
  double equal_share(std::optional<int64_t> channel) const {
    const auto part = [&](const Tensor& counts) {
      return (channel ? counts[*channel] : counts.sum()).item<double>();
    };
    return 1 - part(differs) / part(total);
  }

  size_t worst_run() const {
    return static_cast<size_t>(std::ranges::max_element(differs_in) - differs_in.begin());
  }
};

// The nodes that compute some layers, reading the file's own values.
struct Part {
  Graph graph;
  // Node of `graph` -> node of the whole graph; nothing: its value is that of the next node.
  std::vector<std::optional<NodeId>> original;
  std::vector<NodeId> inputs;  // of `graph`, as nodes of the whole graph
};

class LayerProof {
 public:
  LayerProof(const Graph& graph, const FileValues& names, const Pictures& pictures,
             std::string file)
      : graph_(graph),
        names_(names),
        pictures_(pictures),
        file_(std::move(file)),
        consumers_(graph),
        head_(graph::integer_head(graph)) {
    for (const auto& output : graph.outputs()) outputs_.insert(output.node);
  }

  void run(const OpenExposed& open, int64_t values_at_once) {
    std::vector<NodeId> group;
    int64_t size = 0;
    for (NodeId id = 0; id < graph_.nodes().size(); ++id) {
      if (!is_known(id) && !outputs_.contains(id)) continue;
      group.push_back(id);
      size += size_of(graph_.node(id).shape);
      if (size < values_at_once) continue;
      prove(group, open);
      group.clear();
      size = 0;
    }
    if (!group.empty()) prove(group, open);
  }

 private:
  // What the runtime tells the value of.
  bool is_known(NodeId id) const { return is<FakeQuantize>(graph_, id) || is<ArgMax>(graph_, id); }

  bool in_head(NodeId id) const { return std::ranges::count(head_, id) > 0; }

  // Whether the layers behind it are computed from what the runtime says. Inside of the integer
  // head none are: run_graph() computes it as a whole, in stripes.
  bool is_read(NodeId id) const {
    return is<Input>(graph_, id) || (is_known(id) && (!in_head(id) || id == head_.back()));
  }

  const std::string& exposed_name(NodeId id) const {
    return is<FakeQuantize>(graph_, id) ? names_.codes.at(id) : names_.values.at(id);
  }

  void prove(const std::vector<NodeId>& layers, const OpenExposed& open) {
    layers_ = {layers.begin(), layers.end()};
    tallies_.clear();
    const Part part = part_of(layers);
    std::set<std::string> exposed;
    const auto expose = [&](NodeId id) {
      if (is_known(id) && !is_output_name(exposed_name(id))) exposed.insert(exposed_name(id));
    };
    for (const NodeId id : layers) {
      expose(id);
      for (const NodeId input : graph_.node(id).inputs) expose(input);
    }
    for (const NodeId id : part.inputs) expose(id);
    const auto model = open({exposed.begin(), exposed.end()});
    const auto batch = static_cast<size_t>(graph_.input().shape.at(0));
    for (run_ = 0; run_ * batch < pictures_.count; ++run_) {
      std::vector<Tensor> images;
      for (size_t i = run_ * batch; i < (run_ + 1) * batch; ++i) {
        images.push_back(i < pictures_.count ? pictures_.at(i) : images.back());
      }
      compare(part, torch::cat(images), *model);
    }
    for (const auto& [id, tally] : tallies_) {
      if (!tally.holds()) refuse(tally);
    }
  }

  bool is_output_name(const std::string& name) const {
    return std::ranges::any_of(graph_.outputs(),
                               [&](const graph::Output& output) { return output.name == name; });
  }

  Part part_of(const std::vector<NodeId>& layers) const {
    std::vector<bool> computed(graph_.nodes().size()), read(computed.size());
    const auto need = [&](NodeId id) { (is_read(id) ? read : computed)[id] = true; };
    for (const NodeId id : layers) {
      if (is_known(id)) {
        need(graph_.node(id).inputs[0]);
      } else {
        need(id);
      }
    }
    for (NodeId id = computed.size(); id-- > 0;) {
      if (!computed[id]) continue;
      if (in_head(id)) computed[head_.back()] = true;
      for (const NodeId input : graph_.node(id).inputs) need(input);
    }
    return copy(computed, read);
  }

  NodeId copy_node(Graph& to, NodeId id, const std::vector<NodeId>& renamed) const {
    const auto& node = graph_.node(id);
    if (!names_.float_bias.at(id)) return add_copy(to, node, renamed);
    auto filters = graph::filters_in(node.operation);
    const auto bias = std::exchange(filters.bias, torch::zeros_like(filters.bias));
    const NodeId sums = to.add(graph::with_filters(node.operation, filters),
                               {renamed[node.inputs[0]]}, node.module);
    return to.add(graph::Affine{.scale = torch::ones_like(bias), .shift = bias}, {sums},
                  node.module);
  }

  Part copy(const std::vector<bool>& computed, const std::vector<bool>& read) const {
    Part part;
    const auto add = [&](NodeId id, std::optional<NodeId> original) {
      part.original.resize(id);  // nodes before it that it is made of
      part.original.push_back(original);
      return id;
    };
    std::vector<NodeId> renamed(computed.size());
    for (NodeId id = 0; id < computed.size(); ++id) {
      const auto& node = graph_.node(id);
      if (computed[id]) renamed[id] = add(copy_node(part.graph, id, renamed), id);
      if (!read[id]) continue;
      const auto* grid = std::get_if<FakeQuantize>(&node.operation);
      const auto original = grid == nullptr ? std::optional(id) : std::nullopt;
      renamed[id] = add(part.graph.add_input(names_.values[id], node.shape, node.type), original);
      part.inputs.push_back(id);
      if (grid == nullptr) continue;
      // Values on the grid stay as they are, and convolutions are told the grid.
      renamed[id] = add(part.graph.add(*grid, {renamed[id]}, node.module), id);
    }
    return part;
  }

  void compare(const Part& part, const Tensor& image, ExportedModel& model) {
    theirs_ = model.run(image);
    lines_.clear();
    std::vector<Tensor> inputs;
    inputs.reserve(part.inputs.size());
    for (const NodeId id : part.inputs) {
      inputs.push_back(is<Input>(graph_, id) ? image : real(id, told(id)));
    }
    for (const NodeId id : layers_) compare_told(id);
    graph::run_graph(part.graph, inputs, {}, [&](NodeId id, const Tensor& value) {
      if (part.original[id]) compare_computed(*part.original[id], value);
    });
    theirs_.clear();
  }

  // What the runtime says of a value.
  Tensor told(NodeId id) const { return told(id, exposed_name(id)); }

  Tensor told(NodeId id, const std::string& name) const {
    const auto found = theirs_.find(name);
    const auto& shape = graph_.node(id).shape;
    if (found == theirs_.end() || found->second.sizes() != torch::IntArrayRef(shape)) {
      throw Error({.subject = file_ + ", value " + name,
                   .expected = fmt::format("a value of {} numbers", fmt::join(shape, "x")),
                   .got = found == theirs_.end()
                              ? "none"
                              : fmt::format("{}", fmt::join(found->second.sizes(), "x")),
                   .fix = "this is a fault of the program: please report it"});
    }
    return found->second;
  }

  Tensor real(NodeId id, const Tensor& value) const {
    const auto* grid = std::get_if<FakeQuantize>(&graph_.node(id).operation);
    if (grid == nullptr) return value.to(graph_.node(id).type);
    return (value.to(torch::kFloat32) - static_cast<double>(grid->zero_point)) *
           static_cast<double>(grid->scale);
  }

  Tally& tally(NodeId id, const std::string& name, const char* what, double share) {
    auto& found = tallies_[{id, what}];
    if (found.name.empty()) {
      found.name = name;
      found.what = what;
      found.share = share;
    }
    return found;
  }

  // What needs nothing but the runtime's own values.
  void compare_told(NodeId id) {
    if (is<ArgMax>(graph_, id)) {
      const NodeId logits = graph_.node(id).inputs[0];
      if (is<FakeQuantize>(graph_, logits)) {
        const auto best = told(logits).argmax(1, true);
        tally(id, names_.values[id], "levels", kEqualLevels).add(told(id).ne(best), run_);
      }
    } else if (is<FakeQuantize>(graph_, id) && outputs_.contains(id)) {
      compare_output(id, real(id, told(id)), 0);
    }
  }

  // value: a node's, or some lines of it.
  void compare_computed(NodeId id, const Tensor& value) {
    const int64_t line =
        value.dim() == 4 ? std::exchange(lines_[id], lines_[id] + value.size(2)) : 0;
    for (const NodeId reader : consumers_.of(id)) {
      if (!layers_.contains(reader)) continue;
      if (is<FakeQuantize>(graph_, reader)) compare_codes(reader, value, line);
      if (is<ArgMax>(graph_, reader) && !is<FakeQuantize>(graph_, id)) {
        compare_levels(reader, value, line);
      }
    }
    if (outputs_.contains(id) && !is_known(id)) compare_output(id, value, line);
  }

  static Tensor lines_of(const Tensor& whole, const Tensor& value, int64_t line) {
    return value.dim() == 4 ? whole.narrow(2, line, value.size(2)) : whole;
  }

  void compare_codes(NodeId id, const Tensor& value, int64_t line) {
    const auto& grid = std::get<FakeQuantize>(graph_.node(id).operation);
    const double near_half = kNearHalf * std::exp2(static_cast<double>(grid.bits - 8));
    const auto codes = lines_of(told(id), value, line);
    const auto distance =
        (value / static_cast<double>(grid.scale))
            .add_(static_cast<double>(grid.zero_point))
            .clamp_(static_cast<double>(grid.first_code()), static_cast<double>(grid.last_code()))
            .sub_(codes)
            .abs_();
    auto& counts = tally(id, names_.values[id], "codes", kEqualCodes);
    counts.add(distance.le(0.5 + near_half).logical_not_(), run_);
    if (distance.max().item<double>() <= 1.5 + near_half) return;
    counts.wrong += distance.le(1.5 + near_half).logical_not_().sum().item<int64_t>();
  }

  void compare_levels(NodeId id, const Tensor& logits, int64_t line) {
    const auto levels = lines_of(told(id), logits, line);
    const auto [greatest, two] = logits.topk(std::min<int64_t>(2, logits.size(1)), 1);
    const auto tolerance = logits.abs().amax() * kOutputTolerance;
    const auto near = (greatest.narrow(1, 0, 1) - greatest).le(tolerance);  // the best: always
    const auto right = levels.eq(two).logical_and_(near).any(1, true);
    tally(id, names_.values[id], "levels", kEqualLevels).add(right.logical_not(), run_);
  }

  void compare_output(NodeId id, const Tensor& value, int64_t line) {
    for (const auto& output : graph_.outputs()) {
      if (output.node != id) continue;
      const auto got = lines_of(told(id, output.name), value, line).to(torch::kFloat32);
      const auto expected = value.to(torch::kFloat32);
      const auto tolerance = expected.abs().amax() * kOutputTolerance;
      tally(id, output.name, "values", 1)
          .add((got - expected).abs().le(tolerance).logical_not_(), run_);
    }
  }

  [[noreturn]] void refuse(const Tally& tally) const {
    const auto channel = tally.is_few() && tally.wrong == 0 ? tally.worst_channel() : std::nullopt;
    const std::string where = channel ? fmt::format(" of channel {}", *channel) : "";
    const size_t batch = static_cast<size_t>(graph_.input().shape.at(0));
    const std::string wrong =
        tally.wrong > 0 ? fmt::format(" ({} off by more than one code)", tally.wrong) : "";
    throw Error(
        {.subject = fmt::format("{}, layer {}", file_, tally.name),
         .expected = fmt::format("the {} that the 8-bit emulation computes from the runtime's own "
                                 "inputs of the layer, on {:.2f} %{}",
                                 tally.what, 100 * tally.share, where),
         .got = fmt::format("{:.3f} %{}, most differences in picture {} of {}",
                            100 * tally.equal_share(channel), wrong, tally.worst_run() * batch + 1,
                            pictures_.count),
         .fix = "this runtime computes the layer in another way than the file says: keep it in "
                "float (--keep-float) or choose another profile"});
  }

  const Graph& graph_;
  const FileValues& names_;
  const Pictures& pictures_;
  std::string file_;
  graph::Consumers consumers_;
  std::vector<NodeId> head_;
  std::set<NodeId> outputs_;
  // Of the layers that are proven at present:
  std::set<NodeId> layers_;
  std::map<std::pair<NodeId, std::string>, Tally> tallies_;
  // Of the present run of the file:
  size_t run_ = 0;
  NamedTensors theirs_;
  std::map<NodeId, int64_t> lines_;  // that have been computed
};

}  // namespace

void prove_layers(const Graph& graph, const FileValues& names, const OpenExposed& open,
                  const Pictures& pictures, const std::string& file, int64_t values_at_once) {
  const torch::NoGradGuard no_grad;
  LayerProof(graph, names, pictures, file).run(open, values_at_once);
}

}  // namespace dualdepth::quantize
