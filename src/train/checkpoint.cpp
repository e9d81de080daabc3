#include "dualdepth/train/checkpoint.h"

#include <ATen/CPUGeneratorImpl.h>
#include <torch/version.h>

#include <map>

#include "dualdepth/base/atomic_file.h"
#include "dualdepth/base/error.h"
#include "dualdepth/base/log.h"
#include "dualdepth/model/weights.h"

namespace dualdepth {
namespace {

using nlohmann::json;

std::string to_hex(const torch::Tensor& bytes) {
  static constexpr char kDigits[] = "0123456789abcdef";
  const auto flat = bytes.contiguous();
  std::string text;
  for (int64_t i = 0; i < flat.numel(); ++i) {
    const uint8_t byte = flat.const_data_ptr<uint8_t>()[i];
    text += kDigits[byte >> 4];
    text += kDigits[byte & 15];
  }
  return text;
}

// Empty when the text is not `count` bytes in hexadecimal.
torch::Tensor from_hex(const std::string& text, int64_t count) {
  if (text.size() != 2 * static_cast<size_t>(count)) return {};
  if (text.find_first_not_of("0123456789abcdef") != std::string::npos) return {};
  auto bytes = torch::empty({count}, torch::kUInt8);
  for (int64_t i = 0; i < count; ++i) {
    bytes.mutable_data_ptr<uint8_t>()[i] = static_cast<uint8_t>(
        std::stoul(text.substr(2 * static_cast<size_t>(i), 2), nullptr, /*base=*/16));
  }
  return bytes;
}

json codec_to_json(const CodecOptions& codec) {
  return {{"codec", enum_name(codec.codec)},
          {"spacing", enum_name(codec.spacing)},
          {"n_integer_levels", codec.n_integer_levels},
          {"min_depth", codec.min_depth},
          {"max_depth", codec.max_depth}};
}

json to_json(const RunPosition& position) {
  json best = json::array();
  for (const ScoredStep& scored : position.best) {
    best.push_back({{"step", scored.step}, {"value", scored.value}});
  }
  return {{"step", position.step},
          {"epoch", position.epoch},
          {"sampler", {{"epoch", position.epoch}, {"batch", position.batch}}},
          {"skipped_steps", position.skipped_steps},
          {"skipped_in_row", position.skipped_in_row},
          {"best", best},
          {"validations_since_best", position.validations_since_best}};
}

std::string metadata_of(const TrainState& state, const RunConfig& config, const RunLength& length) {
  json metadata = to_json(state.position);
  metadata["format_version"] = kCheckpointFormatVersion;
  metadata["config"] = to_yaml(config);
  metadata["codec"] = codec_to_json(config.model.params.codec);
  metadata["monitor"] = config.trainer.monitor;
  metadata["learning_rate"] = {
      {"lr",
       config.optimizer.lr * learning_rate_scale(config.schedule, length, state.position.step)},
      {"total_steps", length.total_steps},
      {"steps_per_epoch", length.steps_per_epoch}};
  metadata["random"] = {{"seed", config.seed},
                        {"cpu", to_hex(at::detail::getDefaultCPUGenerator().get_state())}};
  metadata["libtorch"] = TORCH_VERSION;
  return metadata.dump();
}

NamedTensors parameters_of(const DepthNet& net) {
  NamedTensors parameters;
  for (const auto& item : net->named_parameters()) parameters.emplace(item.key(), item.value());
  return parameters;
}

DepthNet seeded_network(const RunConfig& config) {
  torch::manual_seed(static_cast<uint64_t>(config.seed));
  DepthNet net(config.model);
  if (config.trainer.freeze_batch_norm) net->encoder().freeze_batch_norm();
  return net;
}

[[noreturn]] void throw_damaged(const Checkpoint& checkpoint, const std::string& what) {
  throw Error({.subject = checkpoint.file.path().string(),
               .expected = "a checkpoint that a run can go on from",
               .got = "metadata that does not fit: " + what,
               .fix = "resume from another checkpoint"});
}

int64_t count_at(const json& object, const char* key) {
  const auto value = object.at(key).get<int64_t>();
  if (value < 0) throw std::out_of_range(std::string(key) + " is negative");
  return value;
}

RunPosition read_position(const Checkpoint& checkpoint) {
  const json& metadata = checkpoint.metadata;
  RunPosition position;
  try {
    position.step = count_at(metadata, "step");
    position.epoch = count_at(metadata.at("sampler"), "epoch");
    position.batch = count_at(metadata.at("sampler"), "batch");
    position.skipped_steps = count_at(metadata, "skipped_steps");
    position.skipped_in_row = count_at(metadata, "skipped_in_row");
    for (const json& scored : metadata.at("best")) {
      position.best.push_back({count_at(scored, "step"), scored.at("value").get<double>()});
    }
    position.validations_since_best = count_at(metadata, "validations_since_best");
  } catch (const std::exception& error) {  // of the JSON library, or a negative count
    throw_damaged(checkpoint, error.what());
  }
  return position;
}

void restore_generator(const Checkpoint& checkpoint) {
  auto generator = at::detail::getDefaultCPUGenerator();
  const json random = checkpoint.metadata.value("random", json::object());
  const bool has_state = random.is_object() && random.contains("cpu") && random["cpu"].is_string();
  const auto state =
      from_hex(has_state ? random["cpu"].get<std::string>() : "", generator.get_state().numel());
  if (!state.defined()) throw_damaged(checkpoint, "random.cpu");
  generator.set_state(state);
}

}  // namespace

TrainState::TrainState(const RunConfig& config, DepthNet network)
    : net(std::move(network)), optimizer(config.optimizer, parameters_of(net)) {
  if (config.trainer.ema_decay > 0) average.emplace(config.trainer.ema_decay, state_of(*net));
  net->train();
}

NamedTensors TrainState::tensors() const {
  NamedTensors all;
  add_with_prefix(all, kModelPrefix, state_of(*net));
  if (average) add_with_prefix(all, kEmaPrefix, average->tensors());
  add_with_prefix(all, kOptimizerPrefix, optimizer.state());
  return all;
}

void TrainState::update_average() {
  if (average) average->update(state_of(*net), optimizer.updates() - 1);
}

DepthNet TrainState::network_to_predict_with() const {
  if (!average) return net;
  DepthNet averaged(net->options());
  averaged->to(net->parameters().front().device());
  load_whole_state(*averaged, average->tensors(), "averaged weights");
  return averaged;
}

TrainState start_state(const RunConfig& config, torch::Device device) {
  DepthNet net = seeded_network(config);
  if (!config.model.pretrained.empty()) {
    const LoadReport report = load_encoder_weights(net->encoder(), config.model.pretrained);
    spdlog::info("{}: {}", config.model.pretrained, report.summary());
  }
  net->to(device);
  return {config, net};
}

TrainState resume_state(const RunConfig& config, torch::Device device,
                        const Checkpoint& checkpoint) {
  DepthNet net = seeded_network(config);
  net->to(device);
  TrainState state(config, net);
  state.position = read_position(checkpoint);
  load_whole_state(state.tensors(), read_tensors(checkpoint.file), checkpoint.file.path().string());
  restore_generator(checkpoint);
  return state;
}

void write_checkpoint(std::span<const std::filesystem::path> files, const TrainState& state,
                      const RunConfig& config, const RunLength& length) {
  write_tensors(files.front(), state.tensors(),
                {{kCheckpointMetadataKey, metadata_of(state, config, length)}});
  for (const auto& name : files.subspan(1)) add_name_atomically(files.front(), name);
}

}  // namespace dualdepth
