#include "dualdepth/model/weights.h"

#include <fmt/format.h>

#include <algorithm>

#include "dualdepth/base/error.h"

namespace dualdepth {
namespace {

struct Comparison {
  LoadReport report;
  std::vector<std::string> differences;  // one line for each tensor that does not fit
};

std::string describe(const torch::Tensor& tensor) {
  return fmt::format("{} [{}]", torch::toString(tensor.scalar_type()),
                     fmt::join(tensor.sizes(), ", "));
}

bool fits(const torch::Tensor& own, const torch::Tensor& other) {
  return own.sizes() == other.sizes() && (own.scalar_type() == other.scalar_type() ||
                                          (own.is_floating_point() && other.is_floating_point()));
}

Comparison compare(const NamedTensors& own, const NamedTensors& other) {
  Comparison result;
  for (const auto& [name, tensor] : own) {
    const auto found = other.find(name);
    if (found == other.end()) {
      result.report.missing.push_back(name);
      continue;
    }
    result.report.matched.push_back(name);
    if (!fits(tensor, found->second)) {
      result.differences.push_back(
          fmt::format("{}: expected {}, got {}", name, describe(tensor), describe(found->second)));
    }
  }
  for (const auto& [name, tensor] : other) {
    if (!own.contains(name)) result.report.unused.push_back(name);
  }
  return result;
}

void refuse_differences(const std::vector<std::string>& differences, const std::string& origin) {
  if (differences.empty()) return;
  throw Error(fmt::format("{}: expected the tensors of this network, got {} that differ:\n  {}",
                          origin, differences.size(), fmt::join(differences, "\n  ")));
}

void copy_matched(const LoadReport& report, NamedTensors& own, const NamedTensors& other) {
  const torch::NoGradGuard no_grad;
  for (const auto& name : report.matched) own.at(name).copy_(other.at(name));
}

std::string count_and_names(const std::vector<std::string>& names, std::string_view what) {
  constexpr size_t kShown = 4;
  if (names.empty()) return fmt::format("none {}", what);
  const auto shown = names.begin() + static_cast<std::ptrdiff_t>(std::min(names.size(), kShown));
  return fmt::format("{} {} ({}{})", names.size(), what, fmt::join(names.begin(), shown, ", "),
                     names.size() > kShown ? ", ..." : "");
}

}  // namespace

NamedTensors state_of(const torch::nn::Module& module) {
  NamedTensors state;
  for (const auto& item : module.named_parameters()) state.emplace(item.key(), item.value());
  for (const auto& item : module.named_buffers()) state.emplace(item.key(), item.value());
  return state;
}

std::string LoadReport::summary() const {
  return fmt::format("{} tensors matched, {}, {}", matched.size(),
                     count_and_names(missing, "missing"), count_and_names(unused, "unused"));
}

LoadReport load_matching_state(torch::nn::Module& module, const NamedTensors& tensors,
                               const std::string& origin) {
  auto own = state_of(module);
  const auto comparison = compare(own, tensors);
  refuse_differences(comparison.differences, origin);
  copy_matched(comparison.report, own, tensors);
  return comparison.report;
}

void load_whole_state(torch::nn::Module& module, const NamedTensors& tensors,
                      const std::string& origin) {
  load_whole_state(state_of(module), tensors, origin);
}

void load_whole_state(NamedTensors own, const NamedTensors& tensors, const std::string& origin) {
  auto comparison = compare(own, tensors);
  for (const auto& name : comparison.report.missing) {
    comparison.differences.push_back(
        fmt::format("{}: expected {}, got no such tensor", name, describe(own.at(name))));
  }
  for (const auto& name : comparison.report.unused) {
    comparison.differences.push_back(
        fmt::format("{}: expected no such tensor, got {}", name, describe(tensors.at(name))));
  }
  refuse_differences(comparison.differences, origin);
  copy_matched(comparison.report, own, tensors);
}

LoadReport load_encoder_weights(Encoder& encoder, const std::filesystem::path& file) {
  auto report = load_matching_state(encoder, read_tensors(SafetensorsFile(file)), file.string());
  std::erase_if(report.missing,
                [](const std::string& name) { return name.ends_with("num_batches_tracked"); });
  if (report.matched.empty()) {
    throw Error({.subject = file.string(),
                 .expected = fmt::format("weights of this encoder ({}, ...)",
                                         encoder.named_parameters().front().key()),
                 .got = report.unused.empty()
                            ? "no tensor"
                            : fmt::format("{} other tensors, first {}", report.unused.size(),
                                          report.unused.front()),
                 .fix = ""});
  }
  return report;
}

}  // namespace dualdepth
