#include "dualdepth/quantize/encodings.h"

#include <fmt/format.h>
#include <onnx/onnx_pb.h>

#include <algorithm>
#include <bit>
#include <map>
#include <nlohmann/json.hpp>
#include <set>

#include "dualdepth/base/atomic_file.h"
#include "dualdepth/config/options_json.h"
#include "dualdepth/graph/filters.h"
#include "dualdepth/onnx/onnx_writer.h"
#include "dualdepth/quantize/choose_range.h"

namespace dualdepth::quantize {
namespace {

using graph::FakeQuantize;
using graph::Graph;
using graph::NodeId;
using Json = nlohmann::ordered_json;

Json aimet_entry(const TensorEncoding& tensor) {
  const int64_t offset = tensor.is_signed ? -(int64_t{1} << (tensor.bits - 1)) : -tensor.zero_point;
  auto scales = Json::array();
  for (const float scale : tensor.scales) scales.push_back(static_cast<double>(scale));
  return {{"name", tensor.name},
          {"bw", tensor.bits},
          {"dtype", "INT"},
          {"enc_type", tensor.is_per_channel ? "PER_CHANNEL" : "PER_TENSOR"},
          {"is_sym", tensor.is_signed},
          {"scale", scales},
          {"offset", std::vector<int64_t>(tensor.scales.size(), offset)}};
}

Json aimet_entries(const std::vector<TensorEncoding>& tensors) {
  auto entries = Json::array();
  for (const auto& tensor : tensors) entries.push_back(aimet_entry(tensor));
  return entries;
}

// Of each convolution in the file the name of its filters.
std::map<std::string, std::string> filter_names(const onnx::GraphProto& file) {
  std::map<std::string, std::string> names;
  for (const auto& node : file.node()) {
    if (node.op_type().starts_with("Conv")) names[node.name()] = node.input(1);
  }
  return names;
}

}  // namespace

std::string aimet_encodings(const Encodings& encodings) {
  const Json json{{"version", "1.0.0"},
                  {"activation_encodings", aimet_entries(encodings.values)},
                  {"param_encodings", aimet_entries(encodings.filters)},
                  {"excluded_layers", Json::array()}};
  return json.dump(1) + "\n";
}

std::string tensorrt_calibration_cache(const Encodings& encodings) {
  std::string text = "TRT-8601-EntropyCalibration2\n";
  for (const auto& value : encodings.values) {
    const auto range =
        range_of(FakeQuantize{value.scales.at(0), value.zero_point, value.is_signed, value.bits});
    const bool is_symmetric = value.is_signed && value.bits == 8;
    const float scale =
        is_symmetric ? value.scales[0] : static_cast<float>(std::max(-range.low, range.high) / 127);
    text += fmt::format("{}: {:08x}\n", value.name, std::bit_cast<uint32_t>(scale));
  }
  return text;
}

Graph float_graph(const Quantization& quantization) {
  const Graph& quantized = quantization.graph;
  std::set<NodeId> grids;
  for (NodeId id = 0; id < quantized.nodes().size(); ++id) {
    if (std::holds_alternative<FakeQuantize>(quantized.node(id).operation)) grids.insert(id);
  }
  Graph floats = without_grids(quantized, grids).graph;
  for (NodeId id = 0; id < floats.nodes().size(); ++id) {
    const auto& operation = floats.node(id).operation;
    const auto filters = graph::filters_of(operation);
    if (filters) {
      floats.replace(id, graph::with_filters(operation, {filters->weight, filters->bias}));
    }
  }
  return floats;
}

Encodings encodings_of(const Quantization& quantization) {
  const Graph floats = float_graph(quantization);
  const auto names = graph::node_names(floats);  // those of the reference: the same nodes
  const auto in_file = value_names(floats);
  const auto file = to_onnx(floats, {.profile = quantization.plan.target.profile});
  const auto filters = filter_names(file->graph());
  const WeightGranularity granularity = quantization.plan.granularity;
  Encodings encodings;
  for (NodeId id = 0; id < names.size(); ++id) {
    if (const auto found = quantization.plan.values.find(names[id]);
        found != quantization.plan.values.end()) {
      const FakeQuantize& value = found->second;
      encodings.values.push_back({.name = in_file.at(id),
                                  .scales = {value.scale},
                                  .zero_point = value.zero_point,
                                  .bits = value.bits,
                                  .is_signed = value.is_signed});
    }
    const auto planned = quantization.plan.filters.find(names[id]);
    if (planned == quantization.plan.filters.end()) continue;
    const auto quantized =
        graph::filters_in(quantization.graph.node(quantization.renamed.at(id)).operation);
    const auto scale = quantized.weight_scale.contiguous();
    const auto* first = scale.const_data_ptr<float>();
    encodings.filters.push_back(
        {.name = filters.at(names[id]),
         .scales = {first, first + scale.numel()},
         .bits = planned->second.bits,
         .is_signed = true,
         .is_per_channel =
             allowed(granularity, floats.node(id).operation) == WeightGranularity::kPerChannel});
  }
  return encodings;
}

void write_encodings(const Quantization& quantization, const Contract& contract,
                     const std::filesystem::path& folder) {
  make_writable_folder(folder);
  const Encodings encodings = encodings_of(quantization);
  const Target& target = quantization.plan.target;
  write_onnx(*to_onnx(float_graph(quantization), {.profile = target.profile,
                                                  .opset = target.opset,
                                                  .metadata = {{kContractKey, to_json(contract)}}}),
             folder / "float.onnx");
  write_file_atomically(folder / "aimet.encodings", aimet_encodings(encodings));
  const bool has_8_bits = std::ranges::all_of(
      encodings.values, [](const TensorEncoding& value) { return value.bits == 8; });
  if (has_8_bits) {
    write_file_atomically(folder / "tensorrt.calibration", tensorrt_calibration_cache(encodings));
  }
}

}  // namespace dualdepth::quantize
