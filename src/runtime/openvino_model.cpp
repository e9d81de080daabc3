#include <fmt/format.h>
#include <torch/types.h>

#include <chrono>
#include <cstring>
#include <openvino/runtime/core.hpp>

#include "dualdepth/base/error.h"
#include "dualdepth/base/parallel.h"
#include "dualdepth/onnx/onnx_file.h"
#include "dualdepth/runtime/exported_model.h"
#include "dualdepth/runtime/onnx_contract.h"
#include "openvino_level_head.h"
#include "openvino_upsampling.h"

namespace dualdepth {
namespace {

// OpenVINO's messages are many lines of source positions: the last says what is wrong.
std::string last_line(std::string text) {
  while (!text.empty() && (text.back() == '\n' || text.back() == ' ')) text.pop_back();
  const size_t newline = text.rfind('\n');
  return newline == std::string::npos ? text : text.substr(newline + 1);
}

torch::Tensor to_torch(const ov::Tensor& tensor) {
  const auto& shape = tensor.get_shape();
  const auto type = tensor.get_element_type();
  const auto scalar = type == ov::element::i64   ? torch::kInt64
                      : type == ov::element::i32 ? torch::kInt32
                                                 : torch::kFloat32;
  auto copy = torch::empty(std::vector<int64_t>(shape.begin(), shape.end()), scalar);
  std::memcpy(copy.mutable_data_ptr(), tensor.data(), copy.nbytes());
  return copy;
}

class OpenVinoModel : public ExportedModel {
 public:
  OpenVinoModel(const std::filesystem::path& path, const OpenVinoOptions& options)
      : path_(path), contract_(contract_of(OnnxFile(path), options.contract)) {
    try {
      ov::Core core;
      const auto model = core.read_model(path.string());
      const int threads = resolve_thread_count(static_cast<int>(options.threads));
      replace_level_heads(model, threads);
      replace_upsampled_convolutions(model);
      const auto type =
          options.precision == Precision::kBFloat16 ? ov::element::bf16 : ov::element::f32;
      compiled_ = core.compile_model(
          model, "CPU", ov::hint::inference_precision(type),
          ov::hint::performance_mode(ov::hint::PerformanceMode::LATENCY),
          // Threads of the integer head inherit the core that their caller is pinned to.
          ov::hint::enable_cpu_pinning(false), ov::enable_profiling(options.profile),
          ov::inference_num_threads(threads));
      request_ = compiled_.create_infer_request();
    } catch (const ov::Exception& error) {
      throw Error({.subject = path.string(),
                   .expected = "an ONNX model that OpenVINO runs",
                   .got = last_line(error.what()),
                   .fix = ""});
    }
  }

  NamedTensors run(const torch::Tensor& image) override {
    const auto packed = image.to(torch::kCPU).contiguous();
    const auto sizes = packed.sizes();
    check_size(sizes);
    const auto type = packed.scalar_type() == torch::kUInt8  ? ov::element::u8
                      : packed.scalar_type() == torch::kHalf ? ov::element::f16
                                                             : ov::element::f32;
    request_.set_input_tensor(
        ov::Tensor(type, ov::Shape(sizes.begin(), sizes.end()), packed.mutable_data_ptr()));
    request_.infer();
    NamedTensors outputs;
    for (const auto& output : compiled_.outputs()) {
      // One that took the place of another's Cast has both names.
      const auto tensor = to_torch(request_.get_tensor(output));
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
    throw Error({.subject = path_.string(),
                 .expected = "a picture of " + shape.to_string(),
                 .got = ov::PartialShape(ov::Shape(sizes.begin(), sizes.end())).to_string(),
                 .fix = "export with --dynamic, or with --shape of this size"});
  }

  std::filesystem::path path_;
  Contract contract_;
  ov::CompiledModel compiled_;
  ov::InferRequest request_;
};

}  // namespace

std::unique_ptr<ExportedModel> open_onnx(const std::filesystem::path& file,
                                         const OpenVinoOptions& options) {
  return std::make_unique<OpenVinoModel>(file, options);
}

}  // namespace dualdepth
