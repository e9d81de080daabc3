#include <onnx/onnx_pb.h>
#include <spdlog/spdlog.h>
#include <torch/types.h>

#include <chrono>
#include <functional>
#include <openvino/runtime/core.hpp>

#include "dualdepth/base/error.h"
#include "dualdepth/base/parallel.h"
#include "dualdepth/graph/patterns.h"
#include "dualdepth/model/integer_level_head.h"
#include "dualdepth/onnx/onnx_file.h"
#include "dualdepth/onnx/onnx_reader.h"
#include "dualdepth/runtime/exported_model.h"
#include "dualdepth/runtime/foreign_runtime.h"
#include "dualdepth/runtime/onnx_contract.h"
#include "lowered_model.h"
#include "openvino_message.h"
#include "openvino_tensor.h"

namespace dualdepth {
namespace {

namespace fs = std::filesystem;

int threads_of(const OpenVinoOptions& options) {
  return resolve_thread_count(static_cast<int>(options.threads));
}

class OpenVinoModel : public ExportedModel {
 public:
  using Source = std::function<std::shared_ptr<ov::Model>(ov::Core& core)>;

  // name: of the file, for messages.
  OpenVinoModel(std::string name, Contract contract, const Source& source,
                const OpenVinoOptions& options)
      : name_(std::move(name)), contract_(std::move(contract)) {
    try {
      ov::Core core;
      const auto type =
          options.precision == Precision::kBFloat16 ? ov::element::bf16 : ov::element::f32;
      compiled_ = core.compile_model(
          source(core), "CPU", ov::hint::inference_precision(type),
          ov::hint::performance_mode(ov::hint::PerformanceMode::LATENCY),
          // Threads of the integer head inherit the core that their caller is pinned to.
          ov::hint::enable_cpu_pinning(false), ov::enable_profiling(options.profile),
          ov::inference_num_threads(threads_of(options)));
      request_ = compiled_.create_infer_request();
    } catch (const ov::Exception& error) {
      throw Error({.subject = name_,
                   .expected = "an ONNX model that OpenVINO runs",
                   .got = last_line(error.what()),
                   .fix = ""});
    }
  }

  NamedTensors run(const torch::Tensor& image) override {
    const auto packed = image.to(torch::kCPU).contiguous();
    const auto sizes = packed.sizes();
    check_size(sizes);
    request_.set_input_tensor(ov::Tensor(openvino_type_of(packed.scalar_type()),
                                         ov::Shape(sizes.begin(), sizes.end()),
                                         packed.mutable_data_ptr()));
    request_.infer();
    NamedTensors outputs;
    for (const auto& output : compiled_.outputs()) {
      // One that took the place of another's Cast has both names.
      const auto tensor = copy_output(request_.get_tensor(output), output.get_any_name());
      for (const std::string& name : output.get_names()) outputs[name] = tensor;
    }
    return outputs;
  }

  const Contract& contract() const override { return contract_; }

  int64_t batch() const override {
    const auto shape = compiled_.input().get_partial_shape();
    return shape.rank().is_static() && shape[0].is_static() ? shape[0].get_length() : 0;
  }

  std::vector<LayerTime> layer_times() override {
    std::vector<LayerTime> layers;
    for (const ov::ProfilingInfo& info : request_.get_profiling_info()) {
      if (info.status != ov::ProfilingInfo::Status::EXECUTED) continue;
      const std::chrono::duration<double, std::milli> time = info.real_time;
      layers.push_back({info.node_name, info.node_type, info.exec_type, time.count()});
    }
    return layers;
  }

 private:
  void check_size(torch::IntArrayRef sizes) const {
    const auto shape = compiled_.input().get_partial_shape();
    if (shape.compatible(ov::PartialShape(ov::Shape(sizes.begin(), sizes.end())))) return;
    throw Error({.subject = name_,
                 .expected = "a picture of " + shape.to_string(),
                 .got = ov::PartialShape(ov::Shape(sizes.begin(), sizes.end())).to_string(),
                 .fix = "export with --dynamic, or with --shape of this size"});
  }

  std::string name_;
  Contract contract_;
  ov::CompiledModel compiled_;
  ov::InferRequest request_;
};

// Of the file's input that is no initializer; a size without a number is dynamic.
ov::PartialShape input_shape(const OnnxFile& file, const std::string& name) {
  std::vector<ov::Dimension> sizes;
  for (const auto& input : file.model().graph().input()) {
    if (input.name() != name) continue;
    for (const auto& size : input.type().tensor_type().shape().dim()) {
      sizes.emplace_back(size.has_dim_value() ? ov::Dimension(size.dim_value()) : ov::Dimension());
    }
  }
  return sizes;
}

void report_float_head(const graph::Graph& graph, const std::string& name) {
  const auto head = graph::integer_head(graph);
  if (head.empty() || IntegerLevelHead::is_supported()) return;
  const auto* conv = std::get_if<graph::Conv>(&graph.node(head.front()).operation);
  if (conv == nullptr || !conv->weight_scale.defined()) return;
  spdlog::warn("{}: the integer head is computed in float, because this CPU has no AVX-512 VNNI",
               name);
}

// Nothing, after a message, where the graph cannot express the file.
std::shared_ptr<ov::Model> lowered_file(const OnnxFile& file, const Contract& contract,
                                        int threads) {
  const std::string name = file.path().string();
  try {
    const auto sizes = input_shape(file, contract.input.name);
    const auto graph = read_onnx(file, {.height = contract.input.size.at(0),
                                        .width = contract.input.size.at(1),
                                        .foreign = openvino_foreign_runtime(),
                                        .for_any_size = sizes.is_dynamic()});
    auto model = lower(
        graph,
        {.input = sizes, .threads = threads, .integer_head = IntegerLevelHead::is_supported()});
    report_float_head(graph, name);
    return model;
  } catch (const Error& error) {
    spdlog::info("{}: computed as written, without kernels of our own ({}: expected {}, got {})",
                 name, error.parts().subject, error.parts().expected, error.parts().got);
    return nullptr;
  }
}

std::shared_ptr<ov::Model> as_written(ov::Core& core, const fs::path& path,
                                      const std::vector<std::string>& exposed) {
  auto model = core.read_model(path.string());
  for (const std::string& value : exposed) model->add_output(value);
  return model;
}

}  // namespace

std::unique_ptr<ExportedModel> open_onnx(const fs::path& path, const OpenVinoOptions& options) {
  auto file = std::make_unique<OnnxFile>(path);
  const Contract contract = contract_of(*file, options.contract);
  const auto source = [&](ov::Core& core) {
    auto model = options.as_written ? nullptr : lowered_file(*file, contract, threads_of(options));
    file.reset();  // its weights need no memory beside the compiled ones
    return model ? model : as_written(core, path, options.exposed);
  };
  return std::make_unique<OpenVinoModel>(path.string(), contract, source, options);
}

std::unique_ptr<ExportedModel> open_lowered(const graph::Graph& graph, const Contract& contract,
                                            const OpenVinoOptions& options) {
  const auto& shape = graph.input().shape;
  const auto source = [&](ov::Core&) {
    return lower(graph, {.input = ov::Shape(shape.begin(), shape.end()),
                         .threads = threads_of(options),
                         .integer_head = IntegerLevelHead::is_supported()});
  };
  return std::make_unique<OpenVinoModel>("graph", contract, source, options);
}

}  // namespace dualdepth
