#include "dualdepth/study/export_preflight.h"

#include <fmt/format.h>
#include <onnx/onnx_pb.h>

#include <string>
#include <vector>

#include "dualdepth/base/atomic_file.h"
#include "dualdepth/base/error.h"
#include "dualdepth/export/frozen_trace.h"
#include "dualdepth/export/graph_from_trace.h"
#include "dualdepth/graph/passes.h"
#include "dualdepth/model/depth_net.h"
#include "dualdepth/onnx/lint.h"
#include "dualdepth/onnx/onnx_writer.h"

namespace dualdepth::study {
namespace {

namespace fs = std::filesystem;

constexpr int64_t kSide = 64;  // px

std::optional<LintTarget> lint_target(OnnxProfile profile) {
  if (profile == OnnxProfile::kNpu) return LintTarget::kNpu;
  if (profile == OnnxProfile::kTensorRt) return LintTarget::kTensorRt;
  return std::nullopt;
}

// The bytes of the file that the exporter writes, for a small picture.
std::string untrained_as_onnx(ModelOptions model, OnnxProfile profile) {
  model.pretrained.clear();
  DepthNet net(model);
  net->eval();
  const HeadKind head = model.head_kind();
  const graph::Graph graph = graph::merge_affine(
      graph_from_trace(trace_network(net, {ModelOutputs::kLogits}), {1, 3, kSide, kSide}));
  const auto written =
      to_onnx(graph::with_outputs(graph, head, model.params.codec, {outputs_of(model).front()}),
              {.profile = profile});
  return onnx_file_bytes(*written, "the exported network");
}

}  // namespace

std::optional<std::string> export_obstacle(const ModelOptions& model, OnnxProfile profile,
                                           const fs::path& scratch) {
  const torch::NoGradGuard no_grad;
  std::string bytes;
  try {
    bytes = untrained_as_onnx(model, profile);
  } catch (const Error& error) {
    return error.what();
  }
  const auto target = lint_target(profile);
  if (!target) return std::nullopt;
  AtomicFile file(scratch, Durability::kBuffered);
  file.write(bytes);
  std::vector<LintFinding> findings;
  file.check([&](const fs::path& written) { findings = lint(OnnxFile(written), *target); });
  if (findings.empty()) return std::nullopt;
  const LintFinding& first = findings.front();
  return fmt::format("{}: expected {}, got {}; {}", first.node, first.rule.says, first.got,
                     first.rule.fix);
}

}  // namespace dualdepth::study
