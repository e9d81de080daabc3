#include "dualdepth/runtime/model_card.h"

#include <fmt/format.h>

#include <nlohmann/json.hpp>
#include <optional>

#include "dualdepth/base/error.h"
#include "dualdepth/config/options_json.h"
#include "dualdepth/onnx/onnx_file.h"

namespace dualdepth {
namespace {

std::optional<ModelOutputs> outputs_named(const std::string& name) {
  for (const auto& [value, text] : EnumNames<ModelOutputs>::values) {
    if (name == text) return value;
  }
  return std::nullopt;
}

}  // namespace

std::string to_json(const ModelCard& card) {
  ModelOptions model = card.model;
  model.pretrained.clear();
  const nlohmann::ordered_json json{
      {"format_version", kModelCardVersion},
      {"outputs", enum_name(card.outputs)},
      {"input",
       {{"name", "image"},
        {"layout", "NCHW"},
        {"channels", "RGB"},
        {"range", {0, 1}},
        {"normalisation", "inside the graph: (x - mean) / std"}}},
      {"model", options_json(model)},
      {"data", {{"image_shape", card.image_shape}, {"kb_crop", card.kb_crop}}}};
  return json.dump();
}

ModelCard parse_model_card(const std::string& text, const std::string& origin) {
  const auto json = nlohmann::json::parse(text, nullptr, /*allow_exceptions=*/false);
  const auto fail = [&](const std::string& expected, const std::string& got) {
    throw Error({.subject = origin,
                 .expected = expected,
                 .got = got,
                 .fix = "export the checkpoint again with dualdepth export"});
  };
  if (!json.is_object() || !json.value("outputs", nlohmann::json()).is_string() ||
      !json.contains("model") || !json.contains("data") || !json.contains("format_version")) {
    fail("metadata of dualdepth: format_version, outputs, model, data", "other metadata");
  }
  if (json["format_version"] != kModelCardVersion) {
    fail(fmt::format("model metadata of format {}", kModelCardVersion),
         json["format_version"].dump());
  }
  const auto outputs = outputs_named(json["outputs"]);
  if (!outputs.has_value()) {
    throw Error({.subject = origin,
                 .expected = "outputs levels, logits or depth",
                 .got = json["outputs"].dump(),
                 .fix = "export the checkpoint again with dualdepth export"});
  }
  const nlohmann::json config{{"model", json["model"]}, {"data", json["data"]}};
  const RunConfig run = parse_run_config(config.dump(), origin);
  return {.outputs = *outputs,
          .model = run.model,
          .image_shape = run.data.image_shape,
          .kb_crop = run.data.kb_crop};
}

ModelCard card_of(const OnnxFile& file) {
  const auto text = file.metadata(kModelCardKey);
  if (!text) {
    throw Error({.subject = file.path().string(),
                 .expected = "an ONNX file written by dualdepth export",
                 .got = "one without its metadata",
                 .fix = "export the checkpoint with dualdepth export --format onnx"});
  }
  return parse_model_card(*text, file.path().string());
}

RunConfig run_config_of(const ModelCard& card) {
  RunConfig config;
  config.model = card.model;
  config.data.image_shape = card.image_shape;
  config.data.kb_crop = card.kb_crop;
  return config;
}

}  // namespace dualdepth
