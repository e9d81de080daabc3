#include "dualdepth/config/contract.h"

#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "dualdepth/base/atomic_file.h"
#include "dualdepth/base/error.h"
#include "dualdepth/config/field_reader.h"
#include "dualdepth/config/options_json.h"
#include "dualdepth/config/run_config.h"
#include "dualdepth/config/versioned_json.h"

namespace dualdepth {
namespace {

using Json = nlohmann::ordered_json;

constexpr uintmax_t kMaxFileBytes = 1 << 20;
constexpr size_t kMaxOutputs = 256;

[[noreturn]] void fail(const std::string& origin, const std::string& expected,
                       const std::string& got) {
  throw ConfigError(
      to_string(ErrorParts{.subject = origin, .expected = expected, .got = got, .fix = ""}));
}

// "a, b or c"
std::string alternatives(const std::vector<std::string_view>& names) {
  std::string text;
  for (size_t i = 0; i < names.size(); ++i) {
    if (i > 0) text += i + 1 < names.size() ? ", " : " or ";
    text += names[i];
  }
  return text;
}

// What `is` may be, with or without those of which no depth follows by themselves.
std::string kinds_text(bool with_fraction) {
  std::vector<std::string_view> names;
  for (const auto& [kind, name] : EnumNames<OutputKind>::values) {
    if (with_fraction || kind != OutputKind::kFraction) names.push_back(name);
  }
  return alternatives(names);
}

// Format 1 held the model's options; what a contract keeps of them is the codec and the size.
Contract from_version_1(const Json& json, const std::string& origin) {
  const auto member = [&](const Json& of, const char* name) {
    const auto found = of.find(name);
    if (found == of.end()) fail(origin, fmt::format("{} in a card of format 1", name), "none");
    return *found;
  };
  const Json model = member(json, "model");
  const Json data = member(json, "data");
  if (!model.is_object() || !data.is_object()) fail(origin, "model and data as objects", "others");
  const Json config{
      {"model", {{"params", member(model, "params")}}},
      {"data",
       {{"image_shape", member(data, "image_shape")}, {"kb_crop", member(data, "kb_crop")}}}};
  const RunConfig run = parse_run_config(config.dump(), origin);
  const Json named = member(json, "outputs");
  std::vector<std::string_view> names;
  for (const ModelOutputs outputs : outputs_of(run.model)) {
    names.push_back(enum_name(outputs));
    if (named == names.back()) return contract_of(run.model, run.data, outputs);
  }
  fail(origin + ": outputs", alternatives(names), named.dump());
}

std::vector<OutputContract> outputs_named_in(const Json& json, const std::string& origin) {
  std::vector<OutputContract> outputs;
  const auto named = json.find("outputs");
  if (named == json.end() || !named->is_object() || named->empty()) {
    fail(origin + ": outputs", R"(the outputs by name, such as {"depth": {"is": "depth"}})",
         named == json.end() ? "nothing" : named->dump());
  }
  if (named->size() > kMaxOutputs) {
    fail(origin + ": outputs", fmt::format("at most {}", kMaxOutputs),
         fmt::format("{}", named->size()));
  }
  for (const auto& [name, unused] : named->items()) outputs.push_back({.name = name});
  return outputs;
}

std::vector<ErrorParts> input_problems(const InputContract& input) {
  std::vector<ErrorParts> problems;
  if (!(input.range.at(0) < input.range.at(1))) {
    problems.push_back({.subject = "input.range",
                        .expected = "what black becomes below what white becomes",
                        .got = fmt::format("{} and {}", input.range[0], input.range[1]),
                        .fix = ""});
  }
  const InputContract plain;
  const bool scaled =
      input.range != plain.range || input.mean != plain.mean || input.std != plain.std;
  if (input.type == InputType::kUint8 && scaled) {
    problems.push_back({.subject = "input.type",
                        .expected = "float32 or float16 with a range, mean or std",
                        .got = "uint8",
                        .fix = "leave them out: a uint8 input takes the picture's bytes"});
  }
  return problems;
}

bool can_be_scaled(OutputKind kind) {
  return kind != OutputKind::kLevel && kind != OutputKind::kLogits &&
         kind != OutputKind::kDepthLogit;
}

std::vector<ErrorParts> output_problems(const OutputContract& output) {
  const std::string subject = "outputs." + output.name;
  if (output.is == OutputKind::kMissing) {
    return {{.subject = subject + ".is",
             .expected = kinds_text(/*with_fraction=*/true),
             .got = "nothing",
             .fix = ""}};
  }
  if (output.scale == 0 ||
      ((output.scale != 1 || output.shift != 0) && !can_be_scaled(output.is))) {
    return {{.subject = subject + ".scale",
             .expected = can_be_scaled(output.is) ? "another number than 0"
                                                  : "1, and shift 0, of this kind of output",
             .got = fmt::format("{}, and shift {}", output.scale, output.shift),
             .fix = ""}};
  }
  return {};
}

// A size that is left out stays left out: an empty list is none. What only coordinates or logits
// need is left out elsewhere, so that programs from before them read the file.
Json json_of(const Contract& contract) {
  Json json = options_json(contract);
  if (contract.input.size.empty()) json["input"].erase("size");
  if (contract.output(OutputKind::kCoordinates) == nullptr) json["codec"].erase("hilbert_order");
  if (contract.codec.decoding == LevelDecoding::kArgmax) json["codec"].erase("decoding");
  return json;
}

}  // namespace

const OutputContract* Contract::output(OutputKind kind) const {
  const auto found = std::ranges::find(outputs, kind, &OutputContract::is);
  return found == outputs.end() ? nullptr : &*found;
}

bool Contract::has_levels() const {
  return output(OutputKind::kLevel) != nullptr || output(OutputKind::kLogits) != nullptr;
}

bool Contract::decodes_expectation() const {
  return output(OutputKind::kLevel) == nullptr && output(OutputKind::kLogits) != nullptr &&
         codec.decoding == LevelDecoding::kExpectation;
}

HeadKind Contract::head_kind() const {
  if (has_levels()) return HeadKind::kCategorical;
  if (output(OutputKind::kPosition) != nullptr) return HeadKind::kCumulative;
  if (output(OutputKind::kCoordinates) != nullptr) return HeadKind::kHilbert;
  return HeadKind::kSigmoid;
}

std::vector<ErrorParts> Contract::problems() const {
  std::vector<ErrorParts> problems = input_problems(input);
  for (const OutputContract& one : outputs) {
    std::ranges::move(output_problems(one), std::back_inserter(problems));
    if (one.is != OutputKind::kMissing && output(one.is) != &one) {
      problems.push_back({.subject = "outputs." + one.name + ".is",
                          .expected = "one output of each kind",
                          .got = fmt::format("a second {}", enum_name(one.is)),
                          .fix = "leave out those that are not needed"});
    }
  }
  const bool has_depth = std::ranges::any_of(outputs, [](const OutputContract& one) {
    return one.is != OutputKind::kMissing && one.is != OutputKind::kFraction;
  });
  if (problems.empty() && !has_depth) {
    problems.push_back({.subject = "outputs",
                        .expected = "one that holds " + kinds_text(/*with_fraction=*/false),
                        .got = outputs.empty() ? "none" : "fraction",
                        .fix = ""});
  }
  const bool has_axis = codec.codec == CodecKind::kReflected || codec.codec == CodecKind::kStep;
  const HeadKind kind = head_kind();
  if (!has_axis && (kind == HeadKind::kCumulative || kind == HeadKind::kHilbert)) {
    problems.push_back(
        {.subject = "codec.codec",
         .expected = "reflected or step, which have the level axis of position and coordinates",
         .got = std::string(enum_name(codec.codec)),
         .fix = ""});
  }
  for (ErrorParts& problem : codec.problems()) {
    constexpr std::string_view kInConfig = "model.params.";
    if (problem.subject.starts_with(kInConfig)) {
      problem.subject.replace(0, kInConfig.size(), "codec.");
    }
    problems.push_back(std::move(problem));
  }
  return problems;
}

Contract contract_of(const ModelOptions& model, const DataOptions& data, ModelOutputs outputs) {
  Contract contract{.input = {.name = "image",
                              .size = data.image_shape,
                              .crop = data.kb_crop ? InputCrop::kKittiBenchmark : InputCrop::kNone},
                    .codec = model.params.codec};
  if (outputs != ModelOutputs::kLogits) contract.codec.decoding = LevelDecoding::kArgmax;
  const HeadKind kind = model.head_kind();
  require_outputs(kind, model.params.codec.decoding, outputs);
  switch (outputs) {
    case ModelOutputs::kDepth:
      contract.outputs = {{.name = "depth", .is = OutputKind::kDepth}};
      break;
    case ModelOutputs::kLevels:
      contract.outputs = {{.name = "level", .is = OutputKind::kLevel},
                          {.name = "fraction", .is = OutputKind::kFraction}};
      break;
    case ModelOutputs::kLogits:
      contract.outputs = {{.name = "logits", .is = OutputKind::kDepthLogit}};
      if (kind == HeadKind::kSigmoid) break;
      contract.outputs = {{.name = "logits", .is = OutputKind::kLogits},
                          {.name = "fraction", .is = OutputKind::kFraction}};
      break;
    case ModelOutputs::kPosition:
      contract.outputs = {{.name = "position", .is = OutputKind::kPosition}};
      break;
    case ModelOutputs::kCoordinates:
      contract.outputs = {{.name = "coordinates", .is = OutputKind::kCoordinates}};
      break;
  }
  return contract;
}

std::string to_json(const Contract& contract) { return json_of(contract).dump(); }

std::string to_readable_json(const Contract& contract) {
  const Json json = json_of(contract);
  std::string text = "{";
  for (const auto& [key, value] : json.items()) {
    text += fmt::format("{}\n  \"{}\": ", text.size() > 1 ? "," : "", key);
    if (key != "outputs") {
      text += value.dump();
      continue;
    }
    std::string lines;
    for (const auto& [name, output] : value.items()) {
      lines +=
          fmt::format("{}\n    {}: {}", lines.empty() ? "" : ",", Json(name).dump(), output.dump());
    }
    text += "{" + lines + "}";
  }
  return text + "\n}\n";
}

Contract parse_contract(const std::string& text, const std::string& origin) {
  const Json json = parse_versioned_json(text, origin, 1, kContractVersion);
  if (json["format_version"] == 1) return from_version_1(json, origin);
  Contract contract;
  contract.outputs = outputs_named_in(json, origin);
  FieldReader reader(field_table(contract), origin);
  reader.read_file(text);
  reader.add_relations(contract.problems());
  reader.throw_problems();
  return contract;
}

Contract read_contract(const std::filesystem::path& file) {
  return parse_contract(read_file(file, kMaxFileBytes), file.string());
}

}  // namespace dualdepth
