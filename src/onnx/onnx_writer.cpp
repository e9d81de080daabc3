#include "dualdepth/onnx/onnx_writer.h"

#include <fmt/format.h>
#include <onnx/defs/schema.h>
#include <onnx/onnx_pb.h>

#include <algorithm>
#include <map>
#include <set>

#include "dualdepth/base/error.h"
#include "dualdepth/graph/operator_table.h"
#include "graph_writer.h"

namespace dualdepth {
namespace {

using graph::Foreign;
using graph::Graph;
using graph::Node;
using graph::NodeId;

struct Versions {
  int64_t ir, opset;
};

// The IR version that came with an opset of the standard.
int64_t ir_of(int64_t opset) {
  if (opset <= 13) return 7;
  return opset <= 18 ? 8 : opset <= 20 ? 9 : 10;
}

// The newest version of an operator up to this opset; 0 for one that is not in the standard.
int version_of(const std::string& type, int64_t opset) {
  const auto* schema = onnx::OpSchemaRegistry::Schema(type, static_cast<int>(opset), "");
  return schema == nullptr ? 0 : schema->SinceVersion();
}

int64_t opset_of(const onnx::ModelProto& model, const std::string& domain) {
  for (const auto& import : model.opset_import()) {
    if (import.domain() == domain) return import.version();
  }
  return 0;
}

// That of the options, or that of the file which foreign nodes come from where its version of one
// of them is another.
Versions versions_of(const Graph& graph, const OnnxOptions& options) {
  const OnnxProfile profile = options.profile;
  const int64_t opset = std::max<int64_t>(options.opset, 13);
  Versions versions = profile == OnnxProfile::kNpu ? Versions{4, 9} : Versions{ir_of(opset), opset};
  for (const Node& node : graph.nodes()) {
    const auto* foreign = std::get_if<Foreign>(&node.operation);
    if (foreign == nullptr) continue;
    onnx::ModelProto model;
    TORCH_CHECK(model.ParseFromString(foreign->model), "a model that was made of the node");
    if (!model.graph().node(0).domain().empty()) continue;
    const int64_t own = opset_of(model, "");
    if (version_of(foreign->type, own) == version_of(foreign->type, versions.opset)) continue;
    if (own < versions.opset || profile == OnnxProfile::kNpu) {
      throw Error({.subject = "node " + model.graph().node(0).name(),
                   .expected = fmt::format("an operator that is the same in opset {}, which the "
                                           "profile has",
                                           versions.opset),
                   .got = fmt::format("{} of opset {}", foreign->type, own),
                   .fix = "export the file for another opset"});
    }
    versions = {ir_of(own), own};
  }
  return versions;
}

// Other domains of foreign nodes.
void add_domains(const Graph& graph, onnx::ModelProto& model) {
  std::set<std::string> known;
  for (const auto& import : model.opset_import()) known.insert(import.domain());
  for (const Node& node : graph.nodes()) {
    const auto* foreign = std::get_if<Foreign>(&node.operation);
    onnx::ModelProto alone;
    if (foreign == nullptr || !alone.ParseFromString(foreign->model)) continue;
    const std::string& domain = alone.graph().node(0).domain();
    if (!known.insert(domain).second) continue;
    auto* import = model.add_opset_import();
    import->set_domain(domain);
    import->set_version(opset_of(alone, domain));
  }
}

}  // namespace

std::vector<std::string> value_names(const Graph& graph) {
  std::vector<std::string> names = node_names(graph);
  for (NodeId id = 0; id < names.size(); ++id) {
    if (!std::holds_alternative<graph::Input>(graph.node(id).operation)) names[id] += "_output_0";
  }
  for (const graph::Output& output : graph.outputs()) names[output.node] = output.name;
  return names;
}

std::string graph_bytes(const graph::Graph& graph) {
  onnx::GraphProto bytes;
  constexpr int64_t kOpset = 21;  // has all operators
  FileNames names{node_names(graph), value_names(graph), {}};
  GraphWriter(graph, {.dynamic = true}, kOpset, names, bytes).write_all();
  return bytes.SerializeAsString();
}

std::unique_ptr<onnx::ModelProto> to_onnx(const graph::Graph& graph, const OnnxOptions& options) {
  auto model = std::make_unique<onnx::ModelProto>();
  const Versions versions = versions_of(graph, options);
  model->set_ir_version(versions.ir);
  model->set_producer_name("dualdepth");
  model->set_doc_string(
      "Metric depth from one camera: RGB in 0..1 in, metres or what makes them out");
  auto* opset = model->add_opset_import();
  opset->set_domain("");
  opset->set_version(versions.opset);
  add_domains(graph, *model);
  model->mutable_graph()->set_name("dualdepth");
  FileNames names{node_names(graph), value_names(graph), {}};
  GraphWriter(graph, options, versions.opset, names, *model->mutable_graph()).write_all();
  add_quantizer_domain(*model);
  for (const auto& [key, value] : options.metadata) {
    auto* entry = model->add_metadata_props();
    entry->set_key(key);
    entry->set_value(value);
  }
  return model;
}

}  // namespace dualdepth
