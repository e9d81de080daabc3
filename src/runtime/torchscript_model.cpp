#include <caffe2/serialize/inline_container.h>
#include <torch/csrc/jit/ir/constants.h>
#include <torch/csrc/jit/ir/ir.h>
#include <torch/csrc/jit/passes/dead_code_elimination.h>
#include <torch/library.h>
#include <torch/script.h>

#include "dualdepth/base/error.h"
#include "dualdepth/model/level_head.h"
#include "dualdepth/runtime/exported_model.h"

namespace dualdepth {
namespace {

namespace jit = torch::jit;

torch::Tensor level_head(const torch::Tensor& feature, const torch::Tensor& weight,
                         const torch::Tensor& bias) {
  return winning_levels(feature.to(torch::kFloat32), weight, bias).unsqueeze(1);
}

TORCH_LIBRARY(dualdepth, library) {
  library.def("level_head(Tensor feature, Tensor weight, Tensor bias) -> Tensor", level_head);
}

// The numbers of a constant list, or of one that a loaded file builds of constants.
std::vector<int64_t> int_list(const jit::Value* value) {
  if (const auto constant = jit::toIValue(value); constant && constant->isIntList()) {
    return constant->toIntVector();
  }
  std::vector<int64_t> list;
  if (value->node()->kind() != c10::prim::ListConstruct) return list;
  for (const jit::Value* element : value->node()->inputs()) {
    const auto constant = jit::toIValue(element);
    if (constant && constant->isInt()) list.push_back(constant->toInt());
  }
  return list;
}

// Whether the convolution is a head that winning_levels computes.
bool is_head(const jit::Node& conv) {
  if (conv.kind().toQualString() != std::string("aten::_convolution")) return false;
  const std::vector<int64_t> ones{1, 1};
  const auto weight = jit::toIValue(conv.input(1));
  const auto bias = jit::toIValue(conv.input(2));
  return weight && bias && weight->isTensor() && bias->isTensor() &&
         weight->toTensor().dim() == 4 && weight->toTensor().size(2) == 3 &&
         weight->toTensor().size(3) == 3 && int_list(conv.input(3)) == ones &&
         int_list(conv.input(4)) == ones && int_list(conv.input(5)) == ones;
}

// argmax(conv(feature)) becomes level_head(feature).
void replace_head(jit::Graph& graph) {
  const auto kind = c10::Symbol::fromQualString("dualdepth::level_head");
  for (jit::Node* node : graph.nodes()) {
    if (node->kind() != c10::aten::argmax || !is_head(*node->input(0)->node())) continue;
    const jit::Node& conv = *node->input(0)->node();
    const jit::WithInsertPoint here(node);
    jit::Node* head =
        graph.insertNode(graph.create(kind, {conv.input(0), conv.input(1), conv.input(2)}));
    // argmax dropped the channel: so must what takes its place.
    const auto keeps = jit::toIValue(node->input(2));
    jit::Value* level = head->output();
    if (!keeps.has_value() || !keeps->toBool()) {
      level = graph.insert(c10::aten::squeeze, {level, 1});
    }
    node->output()->replaceAllUsesWith(level);
  }
  jit::EliminateDeadCode(graph.block());
}

[[noreturn]] void fail(const std::filesystem::path& file, const std::string& got,
                       const std::string& fix = "") {
  throw Error({.subject = file.string(),
               .expected = "a TorchScript file written by dualdepth export",
               .got = got,
               .fix = fix});
}

class TorchScriptModel : public ExportedModel {
 public:
  TorchScriptModel(const std::filesystem::path& file, c10::Device device,
                   const std::optional<Contract>& contract)
      : device_(device) {
    jit::ExtraFilesMap extra{{kContractFile, ""}};
    try {
      module_ = jit::load(file.string(), device, extra);
    } catch (const c10::Error&) {
      fail(file, "a file that LibTorch cannot load (truncated, or no TorchScript)");
    }
    contract_ = contract ? *contract : own_contract(extra[kContractFile], file);
    if (contract_.input.size.empty()) fail(file, "a contract without input.size");
    module_.eval();
    if (device.is_cpu()) replace_head(*module_.get_method("forward").graph());
  }

  NamedTensors run(const torch::Tensor& image) override {
    const torch::NoGradGuard no_grad;
    const auto outputs = module_.forward({image});
    NamedTensors named;
    if (outputs.isGenericDict()) {
      for (const auto& entry : outputs.toGenericDict()) {
        named[entry.key().toStringRef()] = entry.value().toTensor();
      }
      return named;
    }
    std::vector<torch::Tensor> tensors;
    if (outputs.isTensor()) tensors.push_back(outputs.toTensor());
    if (outputs.isTuple()) {
      for (const auto& element : outputs.toTuple()->elements()) {
        if (element.isTensor()) tensors.push_back(element.toTensor());
      }
    }
    const size_t count = std::min(tensors.size(), contract_.outputs.size());
    for (size_t i = 0; i < count; ++i) named[contract_.outputs[i].name] = tensors[i];
    return named;
  }

  const Contract& contract() const override { return contract_; }

 private:
  static Contract own_contract(const std::string& json, const std::filesystem::path& file) {
    if (json.empty()) {
      fail(
          file, "one without dualdepth.json",
          "describe its input and outputs in JSON and give it with --card; see docs/deployment.md");
    }
    return parse_contract(json, file.string());
  }

  c10::Device device_;
  jit::Module module_;
  Contract contract_;
};

}  // namespace

std::unique_ptr<ExportedModel> open_torchscript(const std::filesystem::path& file,
                                                c10::Device device,
                                                const std::optional<Contract>& contract) {
  if (!std::filesystem::is_regular_file(file)) fail(file, "no such file");
  return std::make_unique<TorchScriptModel>(file, device, contract);
}

bool torchscript_has_contract(const std::filesystem::path& file) {
  try {
    caffe2::serialize::PyTorchStreamReader reader(file.string());
    return reader.hasRecord(std::string("extra/") + kContractFile);
  } catch (const c10::Error&) {
    fail(file, "a file that LibTorch cannot load (truncated, or no TorchScript)");
  }
}

}  // namespace dualdepth
