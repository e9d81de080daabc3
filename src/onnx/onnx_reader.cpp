#include "dualdepth/onnx/onnx_reader.h"

#include <fmt/format.h>
#include <onnx/onnx_pb.h>

#include <algorithm>
#include <map>

#include "dualdepth/base/error.h"
#include "dualdepth/graph/operator_table.h"
#include "dualdepth/graph/passes.h"
#include "dualdepth/graph/run_graph.h"
#include "foreign_node.h"
#include "onnx_tensor.h"
#include "onnx_view.h"

namespace dualdepth {
namespace {

using graph::ConstantValue;
using graph::Graph;
using graph::NodeId;
using graph::NodeReader;
using graph::Output;
using graph::Shape;
using graph::StandardNode;
using graph::StandardValue;
using graph::Unsupported;

// Of what is computed of constants: 128 MiB of float, more than any network's shapes or weights.
constexpr int64_t kMostFolded = int64_t{1} << 25;

// "encoder.layer1.0.conv1" of "/encoder/layer1/0/conv1/Conv"; a name without a path is kept.
std::string module_of(const std::string& name) {
  std::string path = name.starts_with('/') ? name.substr(1) : name;
  const size_t end = path.rfind('/');
  if (end == std::string::npos) return name.starts_with('/') ? "" : path;
  path.resize(end);
  // Mul and Add of an Affine node carry its own name in between.
  const size_t last = path.rfind('/') + 1;
  if (path.compare(last, 6, "Affine") == 0) path.resize(last == 0 ? 0 : last - 1);
  std::ranges::replace(path, '/', '.');
  return path;
}

bool all_constant(const std::vector<StandardValue>& inputs) {
  return !inputs.empty() && std::ranges::all_of(inputs, [](const StandardValue& value) {
    return std::holds_alternative<ConstantValue>(value) ||
           std::holds_alternative<std::monostate>(value);
  });
}

class Reader {
 public:
  Reader(const OnnxFile& file, const OnnxReadOptions& options)
      : view_(file), options_(options), foreign_(view_, options) {
    if (file.external_bytes() >= kMaxOnnxBytes) {
      fail("weights", "less than 2 GB, so that a changed network can be written",
           fmt::format("{} bytes of external data", file.external_bytes()));
    }
    for (const auto& input : view_.graph().input()) {
      if (view_.tensor(input.name()) != nullptr) continue;  // older files list initializers, too
      add_input(input);
    }
    for (const auto& node : view_.graph().node()) read(node);
    std::vector<Output> outputs;
    for (const auto& output : view_.graph().output()) {
      outputs.push_back({output.name(), output_node(output.name())});
    }
    graph_.set_outputs(std::move(outputs));
  }

  Graph graph() && { return remove_unused(graph_); }

 private:
  [[noreturn]] void fail(const std::string& where, const std::string& expected,
                         const std::string& got, const std::string& fix = "") const {
    throw Error({.subject = view_.file().path().string() + ": " + where,
                 .expected = expected,
                 .got = got,
                 .fix = fix});
  }

  // Batch, height and width may be left open by the file.
  void add_input(const onnx::ValueInfoProto& input) {
    const auto& type = input.type().tensor_type();
    const bool unsaid = type.elem_type() == onnx::TensorProto::UNDEFINED;
    const auto element = unsaid ? torch::kFloat32 : scalar_type_of(type.elem_type());
    if (!element) fail("input " + input.name(), "numbers", "another type");
    Shape known(static_cast<size_t>(type.shape().dim_size()));
    for (size_t i = 0; i < known.size(); ++i) {
      const auto& dimension = type.shape().dim(static_cast<int>(i));
      const bool is_map = known.size() == 4;
      const int64_t otherwise = i == 0             ? 1
                                : is_map && i == 2 ? options_.height
                                : is_map && i == 3 ? options_.width
                                                   : 0;
      known[i] = dimension.has_dim_value() ? dimension.dim_value() : otherwise;
      if (known[i] <= 0 || known[i] >= int64_t{1} << 31) {
        fail("input " + input.name(), "a known size", "a dynamic one");
      }
    }
    if (known.empty() && !type.has_shape()) fail("input " + input.name(), "a shape", "none");
    const NodeId id = graph_.add_input(input.name(), known, *element);
    graph_.set_file_value(id, input.name());
    values_[input.name()] = id;
    foreign_.add_input(input.name(), known);
  }

  NodeId output_node(const std::string& name) {
    const StandardValue found = value(name, "output");
    if (const auto* id = std::get_if<NodeId>(&found)) return *id;
    if (const auto* constant = std::get_if<ConstantValue>(&found)) {
      return graph_.add(graph::Constant{constant->value}, {}, module_of(name));
    }
    fail("output " + name, "a float value", "the codes of a QuantizeLinear");
  }

  StandardValue value(const std::string& name, const std::string& where) {
    if (name.empty()) return {};
    if (const auto found = values_.find(name); found != values_.end()) return found->second;
    if (view_.tensor(name) == nullptr) fail(where, "a computed value " + name, "none");
    const auto constant = view_.constant(name);
    if (!constant) {
      fail("tensor " + name, "numbers of a known type, as many as its sizes say", "others");
    }
    return values_[name] = ConstantValue{*constant};
  }

  void read(const onnx::NodeProto& proto) {
    const auto where = fmt::format("node {} ({})", proto.name(), proto.op_type());
    if (proto.output_size() < 1) fail(where, "an output", "none");
    std::vector<StandardValue> inputs;
    for (const auto& input : proto.input()) inputs.push_back(value(input, where));
    std::vector<StandardValue> results;
    replaced_ = false;
    try {
      results = convert(proto, inputs);
    } catch (const Unsupported& error) {
      if (!options_.foreign) throw_of(where, error);
      results = all_constant(inputs) ? foreign_.fold(proto, inputs)
                                     : foreign_.add(graph_, proto, inputs, module_of(proto.name()));
    } catch (const Error& error) {
      throw_of(where, error);
    }
    for (size_t i = 0; i < results.size() && std::cmp_less(i, proto.output_size()); ++i) {
      const std::string& name = proto.output(static_cast<int>(i));
      values_[name] = results[i];
      const auto* id = std::get_if<NodeId>(&results[i]);
      // A node that passes its input on, an Identity, leaves the name that the value had.
      if (id != nullptr && (replaced_ || graph_.node(*id).file_value.empty())) {
        graph_.set_file_value(*id, name);
      }
    }
  }

  [[noreturn]] void throw_of(const std::string& where, const Error& error) const {
    const auto& parts = error.parts();
    const bool named = parts.subject.starts_with("node ");
    fail(named ? parts.subject : where + ": " + parts.subject, parts.expected, parts.got,
         parts.fix);
  }

  std::vector<StandardValue> convert(const onnx::NodeProto& proto,
                                     const std::vector<StandardValue>& inputs) {
    StandardNode node = to_standard(view_, proto);
    node.module = module_of(proto.name());
    node.inputs = inputs;
    node.for_any_size = options_.for_any_size;
    const auto* form = graph::find_form(node.type, node.domain, node.opset);
    if (form == nullptr) {
      throw Unsupported({.subject = fmt::format("node {} ({})", node.name, node.type),
                         .expected = "an operator that the network graph knows",
                         .got = fmt::format("{} of opset {}", node.type, node.opset),
                         .fix = "docs/deployment.md lists them"});
    }
    Graph scratch;
    const bool folds = all_constant(node.inputs);
    NodeReader reader(node, folds ? scratch : graph_);
    auto results = form->read(reader);
    reader.expect_all_read();
    replaced_ = reader.has_replaced();
    if (results.size() < node.outputs) reader.unsupported("one output", "several");
    if (folds) fold(scratch, results, reader);
    return results;
  }

  // Computes what hangs on constants alone.
  static void fold(const Graph& scratch, std::vector<StandardValue>& results,
                   const NodeReader& reader) {
    for (const auto& node : scratch.nodes()) {
      int64_t count = 1;
      for (const int64_t size : node.shape) {
        if (__builtin_mul_overflow(count, size, &count)) count = kMostFolded + 1;
      }
      if (count > kMostFolded) {
        reader.fail(fmt::format("a constant of at most {} numbers", kMostFolded),
                    graph::to_text(node.shape));
      }
    }
    for (StandardValue& result : results) {
      const auto* id = std::get_if<NodeId>(&result);
      if (id == nullptr) continue;
      const std::span<const torch::Tensor> no_inputs;
      result = ConstantValue{graph::run_graph(scratch, no_inputs, std::array{*id})[0]};
    }
  }

  OnnxView view_;
  OnnxReadOptions options_;
  ForeignNodes foreign_;
  Graph graph_;
  std::map<std::string, StandardValue> values_;
  bool replaced_ = false;  // the node that is read became part of another
};

}  // namespace

Graph read_onnx(const OnnxFile& file, const OnnxReadOptions& options) {
  return Reader(file, options).graph();
}

Graph read_onnx(const OnnxFile& file, int64_t height, int64_t width) {
  return read_onnx(file, {.height = height, .width = width, .foreign = {}});
}

}  // namespace dualdepth
