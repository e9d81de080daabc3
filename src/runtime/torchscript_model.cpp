#include <caffe2/serialize/inline_container.h>
#include <torch/script.h>

#include "dualdepth/base/error.h"
#include "dualdepth/runtime/exported_model.h"

namespace dualdepth {
namespace {

namespace jit = torch::jit;

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
                   const std::optional<Contract>& contract) {
    jit::ExtraFilesMap extra{{kContractFile, ""}};
    try {
      module_ = jit::load(file.string(), device, extra);
    } catch (const c10::Error&) {
      fail(file, "a file that LibTorch cannot load (truncated, or no TorchScript)");
    }
    contract_ = contract ? *contract : own_contract(extra[kContractFile], file);
    if (contract_.input.size.empty()) fail(file, "a contract without input.size");
    module_.eval();
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
