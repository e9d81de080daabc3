#include "dualdepth/quantize/layer_dump.h"

#include <algorithm>
#include <cctype>
#include <cerrno>
#include <cstring>
#include <fstream>
#include <map>
#include <nlohmann/json.hpp>
#include <set>

#include "dualdepth/base/atomic_file.h"
#include "dualdepth/base/error.h"
#include "dualdepth/base/progress.h"
#include "dualdepth/base/staged_folder.h"
#include "dualdepth/base/stop_signal.h"
#include "dualdepth/graph/patterns.h"
#include "dualdepth/graph/run_graph.h"

namespace dualdepth::quantize {
namespace {

namespace fs = std::filesystem;
using graph::Graph;
using graph::is;
using graph::NodeId;
using nlohmann::ordered_json;

constexpr const char* kValues = "values";
constexpr const char* kKind = "dump of layers";
constexpr size_t kMaxFileName = 200;  // file systems allow 255

NpyType npy_type(torch::ScalarType type) {
  switch (type) {
    case torch::kUInt8:
      return NpyType::kUint8;
    case torch::kInt8:
      return NpyType::kInt8;
    case torch::kInt32:
      return NpyType::kInt32;
    case torch::kInt64:
      return NpyType::kInt64;
    default:
      return NpyType::kFloat32;
  }
}

torch::Tensor codes_of(const torch::Tensor& value, const graph::FakeQuantize& grid) {
  const auto codes = (value / grid.scale).round() + static_cast<double>(grid.zero_point);
  if (grid.bits == 16) return codes.to(torch::kInt32);
  return codes.to(grid.is_signed ? torch::kInt8 : torch::kUInt8);
}

// As one of the types of npy_type().
torch::Tensor storable(const torch::Tensor& value) {
  return npy_type(value.scalar_type()) == NpyType::kFloat32 ? value.to(torch::kFloat32) : value;
}

// Which nodes' values are layers of their own, and what they are called.
class Layers {
 public:
  Layers(const Graph& graph, const std::vector<std::string>& names)
      : graph_(graph), consumers_(graph) {
    std::set<fs::path> files;
    for (NodeId id = 0; id < graph.nodes().size(); ++id) {
      if (!consumers_.is_output(id) && is_fused(id)) continue;
      DumpedValue value{.name = names.at(id), .operation = operator_of(id), .file = {}};
      value.file = fs::path(kValues) / (file_name_of(value.name) + ".npy");
      for (int i = 1; !files.insert(value.file).second; ++i) {
        value.file =
            fs::path(kValues) / (file_name_of(value.name) + "_" + std::to_string(i) + ".npy");
      }
      if (const auto grid = graph::grid_of(graph, id)) {
        value.scale = grid->scale;
        value.zero_point = grid->zero_point;
      }
      if (is<graph::FakeQuantize>(graph, id)) {
        const NodeId before = graph.node(id).inputs[0];
        if (!consumers_.is_output(before) && only_quantized(before))
          value.also = {names.at(before)};
      }
      values_.emplace(id, std::move(value));
    }
  }

  std::map<NodeId, DumpedValue>& values() { return values_; }

 private:
  // Whether a value is the same as, or computed together with, that of its only consumers: a Relu
  // or the codes behind it.
  bool is_fused(NodeId id) const {
    if (is<graph::Input>(graph_, id) || is<graph::FakeQuantize>(graph_, id)) return false;
    const auto grid = graph::grid_of(graph_, id);
    const auto& consumers = consumers_.of(id);
    return !consumers.empty() && std::ranges::all_of(consumers, [&](NodeId consumer) {
      if (grid)
        return is<graph::FakeQuantize>(graph_, consumer) &&
               *grid == graph::grid_of(graph_, consumer);
      return is<graph::Relu>(graph_, consumer) || is<graph::FakeQuantize>(graph_, consumer);
    });
  }

  bool only_quantized(NodeId id) const {
    return std::ranges::all_of(consumers_.of(id), [&](NodeId consumer) {
      return is<graph::FakeQuantize>(graph_, consumer);
    });
  }

  // Of codes and of what a Relu cuts off: the operator in front.
  std::string operator_of(NodeId id) const {
    while ((is<graph::FakeQuantize>(graph_, id) || is<graph::Relu>(graph_, id)) &&
           is_fused(graph_.node(id).inputs[0])) {
      id = graph_.node(id).inputs[0];
    }
    return std::string(graph::kind_name(graph_.node(id).operation));
  }

  const Graph& graph_;
  graph::Consumers consumers_;
  std::map<NodeId, DumpedValue> values_;
};

class DumpWriter {
 public:
  DumpWriter(const Graph& graph, std::map<NodeId, DumpedValue>& values, size_t pictures,
             fs::path folder)
      : graph_(graph),
        values_(values),
        pictures_(static_cast<int64_t>(pictures)),
        folder_(std::move(folder)) {}

  void add_picture(const torch::Tensor& image) {
    graph::run_graph(graph_, image, graph::output_nodes(graph_),
                     [&](NodeId id, const torch::Tensor& value) {
                       const auto found = values_.find(id);
                       if (found != values_.end()) add(id, found->second, value);
                     });
    is_first_ = false;
  }

 private:
  // The integer head comes in stripes of lines.
  void add(NodeId id, DumpedValue& to, const torch::Tensor& value) {
    const auto grid = graph::grid_of(graph_, id);
    auto stored = (grid ? codes_of(value, *grid) : storable(value)).contiguous();
    const auto& shape = graph_.node(id).shape;
    if (shape.size() == 4 && stored.dim() == 4 && stored.size(2) < shape[2]) {
      auto& lines = stripes_[id];
      lines.push_back(stored);
      int64_t count = 0;
      for (const auto& stripe : lines) count += stripe.size(2);
      if (count < shape[2]) return;
      stored = torch::cat(lines, 2).contiguous();
      stripes_.erase(id);
    }
    append(to, stored);
  }

  void append(DumpedValue& to, const torch::Tensor& stored) {
    const fs::path file = folder_ / to.file;
    std::ofstream stream(file, std::ios::binary | (is_first_ ? std::ios::trunc : std::ios::app));
    if (is_first_) {
      to.type = npy_type(stored.scalar_type());
      to.shape = stored.sizes().vec();
      if (to.shape.empty()) to.shape = {1};
      to.shape[0] *= pictures_;
      const std::string header = npy_header(to.type, to.shape);
      stream.write(header.data(), static_cast<std::streamsize>(header.size()));
    }
    stream.write(static_cast<const char*>(stored.const_data_ptr()),
                 static_cast<std::streamsize>(stored.nbytes()));
    if (stream.flush()) return;
    throw Error({.subject = file.string(),
                 .expected = "to write golden tensors",
                 .got = std::strerror(errno),
                 .fix = ""});
  }

  const Graph& graph_;
  std::map<NodeId, DumpedValue>& values_;
  int64_t pictures_;
  fs::path folder_;
  bool is_first_ = true;
  std::map<NodeId, std::vector<torch::Tensor>> stripes_;
};

ordered_json json_of(const DumpedValue& value) {
  ordered_json json{{"name", value.name}};
  if (!value.operation.empty()) json["operator"] = value.operation;
  json["file"] = value.file.generic_string();
  json["type"] = type_name(value.type);
  json["shape"] = value.shape;
  if (value.scale) {
    json["scale"] = *value.scale;
    json["zero_point"] = value.zero_point;
  }
  if (!value.also.empty()) json["also"] = value.also;
  return json;
}

}  // namespace

std::string file_name_of(const std::string& value) {
  std::string name = value.substr(0, kMaxFileName);
  for (char& c : name) {
    if (std::isalnum(static_cast<unsigned char>(c)) == 0 && c != '.' && c != '-') c = '_';
  }
  return name;
}

void expect_dump_folder(const fs::path& folder) { StagedFolder(folder, kLayerIndex, kKind); }

bool write_layer_dump(const Graph& graph, const std::vector<std::string>& value_names,
                      const graph::Pictures& pictures, const std::string& model,
                      const fs::path& folder) {
  const torch::NoGradGuard no_grad;
  Layers layers(graph, value_names);
  StagedFolder staged(folder, kLayerIndex, kKind);
  make_writable_folder(staged.stage() / kValues);
  const StopSignal stop;
  ProgressLine progress("dump", pictures.count);
  DumpWriter writer(graph, layers.values(), pictures.count, staged.stage());
  for (size_t index = 0; index < pictures.count; ++index) {
    writer.add_picture(pictures.at(index));
    progress.update(index + 1);
    if (stop.requested()) return false;
  }
  ordered_json json{{"format_version", kLayerIndexVersion},
                    {"model", model},
                    {"pictures", pictures.count},
                    {"input", nullptr},
                    {"layers", ordered_json::array()}};
  for (const auto& [id, value] : layers.values()) {
    if (is<graph::Input>(graph, id)) {
      DumpedValue input = value;
      input.operation.clear();
      json["input"] = json_of(input);
    } else {
      json["layers"].push_back(json_of(value));
    }
  }
  constexpr auto kReplace = ordered_json::error_handler_t::replace;  // what is no UTF-8
  staged.publish(json.dump(1, ' ', /*ensure_ascii=*/false, kReplace) + "\n");
  return true;
}

}  // namespace dualdepth::quantize
