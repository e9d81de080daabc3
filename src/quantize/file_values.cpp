#include "dualdepth/quantize/file_values.h"

#include <fmt/format.h>
#include <onnx/onnx_pb.h>

#include <map>
#include <utility>

#include "dualdepth/base/error.h"
#include "dualdepth/graph/filters.h"
#include "dualdepth/graph/patterns.h"

namespace dualdepth::quantize {

using graph::FakeQuantize;
using graph::NodeId;

FileValues file_values(const graph::Graph& graph, std::vector<std::string> values,
                       const onnx::ModelProto& model, const std::string& file) {
  std::map<std::string, const onnx::NodeProto*> makers;
  for (const auto& node : model.graph().node()) {
    for (const auto& output : node.output()) makers[output] = &node;
  }
  const auto is_made_by = [&](const std::string& value, const char* type) {
    const auto found = makers.find(value);
    return found != makers.end() && found->second->op_type() == type;
  };
  FileValues names{.values = std::move(values), .codes = {}, .float_bias = {}};
  names.codes.resize(names.values.size());
  names.float_bias.resize(names.values.size());
  for (NodeId id = 0; id < names.values.size(); ++id) {
    const std::string& value = names.values[id];
    const auto& operation = graph.node(id).operation;
    const auto filters = graph::filters_of(operation);
    const std::string type(graph::kind_name(operation));
    if (filters && filters->weight_scale.defined() && is_made_by(value, type.c_str())) {
      const auto& node = *makers[value];
      names.float_bias[id] = node.input_size() > 2 && !makers.contains(node.input(2));
    }
    if (!graph::is<FakeQuantize>(graph, id)) continue;
    if (!is_made_by(value, "DequantizeLinear") || makers[value]->input_size() == 0) {
      throw Error({.subject = fmt::format("{}, value {}", file, value),
                   .expected = "a DequantizeLinear that makes it",
                   .got = makers.contains(value) ? makers[value]->op_type() : "no node",
                   .fix = "this is a fault of the program: please report it"});
    }
    names.codes[id] = makers[value]->input(0);
  }
  return names;
}

}  // namespace dualdepth::quantize
