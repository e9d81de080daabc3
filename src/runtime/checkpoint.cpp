#include "dualdepth/runtime/checkpoint.h"

#include "dualdepth/base/error.h"
#include "dualdepth/model/weights.h"

namespace dualdepth {
namespace {

constexpr const char* kWhatItIs = "a checkpoint written by dualdepth train";

nlohmann::json parse_metadata(const SafetensorsFile& file) {
  const auto found = file.metadata().find(kCheckpointMetadataKey);
  if (found == file.metadata().end()) {
    throw Error({.subject = file.path().string(),
                 .expected = kWhatItIs,
                 .got = "a safetensors file without its metadata",
                 .fix = ""});
  }
  auto metadata = nlohmann::json::parse(found->second, nullptr, /*allow_exceptions=*/false);
  const bool whole = metadata.is_object() && metadata.contains("format_version") &&
                     metadata["format_version"].is_number_integer() &&
                     metadata.contains("config") && metadata["config"].is_string();
  if (!whole) {
    throw Error({.subject = file.path().string(),
                 .expected = kWhatItIs,
                 .got = "metadata without format_version and config",
                 .fix = ""});
  }
  if (metadata["format_version"] != kCheckpointFormatVersion) {
    throw Error({.subject = file.path().string(),
                 .expected = "checkpoint format " + std::to_string(kCheckpointFormatVersion),
                 .got = metadata["format_version"].dump(),
                 .fix = "use the version of dualdepth that wrote it"});
  }
  return metadata;
}

}  // namespace

Checkpoint open_checkpoint(const std::filesystem::path& path) {
  SafetensorsFile file(path);
  auto metadata = parse_metadata(file);
  auto config = parse_run_config(metadata["config"].get<std::string>(), path.string());
  return {std::move(file), std::move(metadata), std::move(config)};
}

DepthNet load_network(const Checkpoint& checkpoint) {
  auto tensors = read_tensors(checkpoint.file, kModelPrefix);
  for (auto& [name, tensor] : read_tensors(checkpoint.file, kEmaPrefix)) tensors[name] = tensor;
  DepthNet net(checkpoint.config.model);
  load_whole_state(*net, tensors, checkpoint.file.path().string());
  net->eval();
  return net;
}

}  // namespace dualdepth
