#include "dualdepth/runtime/onnx_contract.h"

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <onnx/onnx_pb.h>

#include <algorithm>
#include <set>
#include <string>
#include <vector>

#include "dualdepth/base/error.h"
#include "dualdepth/base/nearest_name.h"
#include "dualdepth/runtime/exported_model.h"

namespace dualdepth {
namespace {

constexpr int64_t kDynamic = -1;
constexpr int64_t kMaxSide = 16384;  // px, as InputContract::size

// An input or output of a file.
struct FileValue {
  std::string name;
  int type = 0;                // onnx::TensorProto::DataType
  std::vector<int64_t> shape;  // kDynamic where it is not fixed; empty: not known
};

FileValue to_value(const onnx::ValueInfoProto& info) {
  const auto& tensor = info.type().tensor_type();
  FileValue value{.name = info.name(), .type = tensor.elem_type(), .shape = {}};
  for (const auto& dimension : tensor.shape().dim()) {
    value.shape.push_back(dimension.has_dim_value() ? dimension.dim_value() : kDynamic);
  }
  return value;
}

std::vector<FileValue> inputs_of(const onnx::GraphProto& graph) {
  std::set<std::string> constants;
  for (const auto& tensor : graph.initializer()) constants.insert(tensor.name());
  std::vector<FileValue> inputs;
  for (const auto& input : graph.input()) {
    // Older files list initializers, too.
    if (!constants.contains(input.name())) inputs.push_back(to_value(input));
  }
  return inputs;
}

std::vector<FileValue> outputs_of(const onnx::GraphProto& graph) {
  std::vector<FileValue> outputs;
  for (const auto& output : graph.output()) outputs.push_back(to_value(output));
  return outputs;
}

// "pixel_values float [?, 3, 384, 640]"
std::string text_of(const FileValue& value) {
  std::string type = onnx::TensorProto::DataType_IsValid(value.type)
                         ? onnx::TensorProto::DataType_Name(value.type)
                         : "?";
  std::ranges::transform(type, type.begin(), [](unsigned char c) { return std::tolower(c); });
  std::vector<std::string> sizes;
  sizes.reserve(value.shape.size());
  for (const int64_t size : value.shape) {
    sizes.push_back(size == kDynamic ? "?" : fmt::format("{}", size));
  }
  return fmt::format("{} {} [{}]", value.name, type, fmt::join(sizes, ", "));
}

std::string text_of(const std::vector<FileValue>& values) {
  std::vector<std::string> texts;
  texts.reserve(values.size());
  for (const FileValue& value : values) texts.push_back(text_of(value));
  return texts.empty() ? "none" : fmt::format("{}", fmt::join(texts, "; "));
}

bool is_nhwc(const FileValue& input) {
  return input.shape.size() == 4 && input.shape[3] == 3 && input.shape[1] != 3;
}

bool has_size(const FileValue& input) {
  const size_t first = is_nhwc(input) ? 1 : 2;
  return input.shape.size() == 4 && input.shape[first] > 0 && input.shape[first + 1] > 0;
}

// A contract to start from, for a person to correct.
std::string template_for(const std::vector<FileValue>& inputs,
                         const std::vector<FileValue>& outputs) {
  const FileValue input = inputs.empty() ? FileValue{.name = "image", .shape = {}} : inputs.front();
  const bool bytes = input.type == onnx::TensorProto::UINT8;
  std::string text = fmt::format("{{\"format_version\": {},\n \"input\": {{\"name\": \"{}\"",
                                 kContractVersion, input.name);
  if (is_nhwc(input)) text += ", \"layout\": \"NHWC\"";
  if (bytes) text += ", \"type\": \"uint8\"";
  if (input.type == onnx::TensorProto::FLOAT16) text += ", \"type\": \"float16\"";
  text += ", \"channels\": \"RGB\"";
  if (!bytes) {
    text +=
        ",\n           \"range\": [0, 1], \"mean\": [0.485, 0.456, 0.406], \"std\": [0.229, 0.224, "
        "0.225]";
  }
  if (!has_size(input)) text += ",\n           \"size\": [384, 640]";
  return text + fmt::format("}},\n \"outputs\": {{\"{}\": {{\"is\": \"depth\"}}}}}}",
                            outputs.empty() ? "depth" : outputs.front().name);
}

class ContractCheck {
 public:
  ContractCheck(const OnnxFile& file, Contract contract)
      : path_(file.path().string()),
        inputs_(inputs_of(file.model().graph())),
        outputs_(outputs_of(file.model().graph())),
        contract_(std::move(contract)) {}

  Contract run() {
    if (inputs_.size() != 1) {
      fail("", "a file with one input, the picture", text_of(inputs_));
    }
    const FileValue& input = inputs_.front();
    if (contract_.input.name.empty()) contract_.input.name = input.name;
    check_name("input.name", contract_.input.name, inputs_);
    for (const OutputContract& output : contract_.outputs) {
      check_name("outputs." + output.name, output.name, outputs_);
    }
    check_type(input);
    check_shape(input);
    return std::move(contract_);
  }

 private:
  [[noreturn]] void fail(const std::string& key, const std::string& expected,
                         const std::string& got, const std::string& fix = "") const {
    throw Error({.subject = path_ + (key.empty() ? "" : ", contract: " + key),
                 .expected = expected,
                 .got = got,
                 .fix = fix});
  }

  void check_name(const std::string& key, const std::string& name,
                  const std::vector<FileValue>& values) const {
    std::vector<std::string_view> known;
    for (const FileValue& value : values) {
      if (value.name == name) return;
      known.push_back(value.name);
    }
    fail(key, "a name that the file has", name, suggest_name(name, known));
  }

  void check_type(const FileValue& input) const {
    const auto type = contract_.input.type;
    const int expected = type == InputType::kUint8     ? onnx::TensorProto::UINT8
                         : type == InputType::kFloat16 ? onnx::TensorProto::FLOAT16
                                                       : onnx::TensorProto::FLOAT;
    if (input.type == expected) return;
    fail("input.type", "the file's: " + text_of(input), std::string(enum_name(type)));
  }

  // The contract's size and the file's must be the same where both are known.
  void check_shape(const FileValue& input) {
    if (input.shape.empty()) return require_size();
    const bool nhwc = contract_.input.layout == TensorLayout::kNhwc;
    const int64_t channels = input.shape.size() == 4 ? input.shape[nhwc ? 3 : 1] : 0;
    if (channels != 3 && channels != kDynamic) {
      fail("input.layout", "3 channels in " + text_of(input),
           std::string(enum_name(contract_.input.layout)));
    }
    auto& size = contract_.input.size;
    const std::vector<int64_t> own{input.shape[nhwc ? 1 : 2], input.shape[nhwc ? 2 : 3]};
    const bool is_fixed = std::ranges::all_of(own, [](int64_t side) { return side != kDynamic; });
    if (size.empty() && is_fixed) size = own;
    require_size();
    for (size_t i = 0; i < 2; ++i) {
      if (own[i] == kDynamic || own[i] == size[i]) continue;
      fail("input.size", "the file's: " + text_of(input),
           fmt::format("[{}]", fmt::join(size, ", ")));
    }
  }

  void require_size() const {
    const auto& size = contract_.input.size;
    const auto fits = [](int64_t side) { return side >= 1 && side <= kMaxSide; };
    if (size.size() == 2 && std::ranges::all_of(size, fits)) return;
    fail("input.size", fmt::format("height and width, 1 to {}", kMaxSide),
         size.empty() ? "none, and the file has none either: " + text_of(inputs_)
                      : fmt::format("[{}]", fmt::join(size, ", ")));
  }

  std::string path_;
  std::vector<FileValue> inputs_;
  std::vector<FileValue> outputs_;
  Contract contract_;
};

}  // namespace

Contract contract_of(const OnnxFile& file, const std::optional<Contract>& given) {
  if (given) return ContractCheck(file, *given).run();
  const std::string path = file.path().string();
  if (const auto own = file.metadata(kContractKey)) {
    return ContractCheck(file, parse_contract(*own, path)).run();
  }
  const auto inputs = inputs_of(file.model().graph());
  const auto outputs = outputs_of(file.model().graph());
  throw Error(
      {.subject = path,
       .expected = "a file with a contract, as dualdepth export writes it, or --card FILE",
       .got = fmt::format("neither; inputs: {}; outputs: {}", text_of(inputs), text_of(outputs)),
       .fix = "describe the file in JSON and give it with --card; to start from (`is` is one "
              "of level, fraction, logits, depth, inverse_depth, depth_logit, position, "
              "coordinates):\n" +
              template_for(inputs, outputs)});
}

bool carries_contract(const std::filesystem::path& model) {
  const auto extension = model.extension();
  if (extension == ".onnx") return OnnxFile(model).metadata(kContractKey).has_value();
  if (extension == ".ts" || extension == ".pt") return torchscript_has_contract(model);
  return true;
}

}  // namespace dualdepth
