#include <torch/script.h>

#include "dualdepth/base/error.h"
#include "dualdepth/runtime/exported_model.h"

namespace dualdepth {
namespace {

namespace jit = torch::jit;

[[noreturn]] void fail(const std::filesystem::path& file, const std::string& got) {
  throw Error({.subject = file.string(),
               .expected = "a TorchScript file written by dualdepth export",
               .got = got,
               .fix = ""});
}

class TorchScriptModel : public ExportedModel {
 public:
  TorchScriptModel(const std::filesystem::path& file, c10::Device device) {
    jit::ExtraFilesMap extra{{kModelCardFile, ""}};
    try {
      module_ = jit::load(file.string(), device, extra);
    } catch (const c10::Error&) {
      fail(file, "a file that LibTorch cannot load (truncated, or no TorchScript)");
    }
    if (extra[kModelCardFile].empty()) fail(file, "one without dualdepth.json");
    card_ = parse_model_card(extra[kModelCardFile], file.string());
    module_.eval();
  }

  NamedTensors run(const torch::Tensor& image) override {
    const torch::NoGradGuard no_grad;
    const auto outputs = module_.forward({image}).toGenericDict();
    NamedTensors named;
    for (const auto& entry : outputs) {
      named[entry.key().toStringRef()] = entry.value().toTensor();
    }
    return named;
  }

  const ModelCard& card() const override { return card_; }

 private:
  jit::Module module_;
  ModelCard card_;
};

}  // namespace

std::unique_ptr<ExportedModel> open_torchscript(const std::filesystem::path& file,
                                                c10::Device device) {
  if (!std::filesystem::is_regular_file(file)) fail(file, "no such file");
  return std::make_unique<TorchScriptModel>(file, device);
}

}  // namespace dualdepth
