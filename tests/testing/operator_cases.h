#pragma once

#include <torch/utils.h>

#include <filesystem>
#include <fstream>
#include <span>
#include <sstream>
#include <string>
#include <vector>

#include "dualdepth/graph/graph.h"
#include "dualdepth/onnx/onnx_reader.h"
#include "testing/interop_python.h"
#include "testing/temp_folder.h"

namespace dualdepth::testing {

// The ONNX project's own test cases of single operators, whose expected outputs its reference
// implementation in NumPy computed (tests/onnx/write_operator_cases.py). A test that makes one
// starts with DUALDEPTH_NEEDS_INTEROP.
class OperatorCases {
 public:
  struct Case {
    std::string name, kind;
    int64_t opset = 0;
    double relative = 0, absolute = 0;
  };

  OperatorCases() {
    const auto written = run_interop_script("onnx/write_operator_cases.py", folder_ / "cases");
    if (written.exit_code != 0) throw std::runtime_error(written.output);
    std::ifstream list(folder_ / "cases/cases.txt");
    for (Case one; list >> one.name >> one.kind >> one.opset >> one.relative >> one.absolute;) {
      cases_.push_back(one);
    }
  }

  const std::vector<Case>& all() const { return cases_; }
  std::filesystem::path model(const Case& one) const {
    return folder_ / "cases" / (one.name + ".onnx");
  }
  std::vector<torch::Tensor> inputs(const Case& one) const { return tensors(one, "input_"); }
  std::vector<torch::Tensor> expected(const Case& one) const { return tensors(one, "expected_"); }

  // Empty when the outputs are those expected.
  static std::string difference(std::span<const torch::Tensor> got,
                                std::span<const torch::Tensor> expected, const Case& one) {
    for (size_t i = 0; i < got.size(); ++i) {
      std::ostringstream text;
      if (got[i].sizes() != expected[i].sizes()) {
        text << "sizes " << got[i].sizes() << " instead of " << expected[i].sizes();
        return text.str();
      }
      const auto a = got[i].to(torch::kFloat64);
      const auto b = expected[i].to(torch::kFloat64);
      if (!torch::allclose(a, b, one.relative, one.absolute, /*equal_nan=*/true)) {
        text << "a difference of " << (a - b).abs().max().item<double>();
        return text.str();
      }
    }
    return "";
  }

 private:
  std::vector<torch::Tensor> tensors(const Case& one, const std::string& prefix) const {
    const OnnxFile file(folder_ / "cases" / (one.name + ".data.onnx"));
    const auto data = read_onnx(file);
    std::vector<torch::Tensor> found;
    for (const auto& output : data.outputs()) {
      if (!output.name.starts_with(prefix)) continue;
      found.push_back(std::get<graph::Constant>(data.node(output.node).operation).value);
    }
    return found;
  }

  TempFolder folder_;
  std::vector<Case> cases_;
};

}  // namespace dualdepth::testing
