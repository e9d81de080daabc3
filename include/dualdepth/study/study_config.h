#pragma once

#include <array>
#include <cstdint>
#include <filesystem>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "dualdepth/config/data_options.h"
#include "dualdepth/config/export_options.h"
#include "dualdepth/config/field.h"
#include "dualdepth/config/quantize_options.h"

namespace dualdepth::study {

// Which checkpoint of a run is evaluated. `best` was chosen on the pictures that it is evaluated
// on, so that a study of accuracy takes `last`.
enum class CheckpointChoice { kLast, kBest };

// Parts of quantization that a study may leave out (quantize/quantize_options.h).
enum class QuantizePart { kCentring, kEqualization, kBiasCorrection, kAdaptiveRounding };

}  // namespace dualdepth::study

namespace dualdepth {

template <>
struct EnumNames<study::CheckpointChoice> {
  static constexpr std::array values{std::pair{study::CheckpointChoice::kLast, "last"},
                                     std::pair{study::CheckpointChoice::kBest, "best"}};
};

template <>
struct EnumNames<study::QuantizePart> {
  static constexpr std::array values{
      std::pair{study::QuantizePart::kCentring, "centring"},
      std::pair{study::QuantizePart::kEqualization, "equalization"},
      std::pair{study::QuantizePart::kBiasCorrection, "bias-correction"},
      std::pair{study::QuantizePart::kAdaptiveRounding, "adaptive-rounding"}};
};

}  // namespace dualdepth

namespace dualdepth::study {

// What each run does after its training, the same for all variants.
struct JudgeOptions {
  CheckpointChoice checkpoint = CheckpointChoice::kLast;
  OnnxProfile profile = OnnxProfile::kPortable;
  std::vector<WeightGranularity> weights = {WeightGranularity::kPerChannel,
                                            WeightGranularity::kPerTensor};
  RangeMethod ranges = RangeMethod::kMse;
  std::vector<QuantizePart> without = {};
  int64_t calibration_pictures = 128;
  int64_t pictures = 0;

  template <class Visitor>
  void visit(Visitor& v) {
    v.field("checkpoint", checkpoint,
            {.help = "checkpoint that is evaluated; best was chosen on the pictures that it is "
                     "evaluated on"});
    v.field("profile", profile, {.help = "runtime that the exported files are for"});
    v.field("weights", weights,
            {.help = "scales of filters in 8 bits, a file each; npu has only per-tensor"});
    v.field("ranges", ranges, {.help = "how the ends of a grid are chosen"});
    v.field("without", without, {.help = "parts of quantization that are left out"});
    v.field("calibration_pictures", calibration_pictures,
            {.help = "training pictures that quantization calibrates with, evenly spread",
             .min = 1,
             .max = 1000000});
    v.field("pictures", pictures,
            {.help = "validation pictures that judge, evenly spread; 0: all of them",
             .min = 0,
             .max = 1000000});
  }
};

// A data set that the study renders itself (`dualdepth synthesize`).
struct RenderOptions {
  DatasetKind layout = DatasetKind::kKitti;
  int64_t frames = 0;
  int64_t seed = 0;
  std::vector<int64_t> shape = {192, 640};

  template <class Visitor>
  void visit(Visitor& v) {
    v.field("layout", layout, {.help = "kitti: roads; ncdb: car parks through a fisheye lens"});
    v.field("frames", frames,
            {.help = "frames in all sequences together, a fifth of them for validation; 0: nothing "
                     "is rendered",
             .min = 0,
             .max = 10000000});
    v.field("seed", seed, {.help = "same seed, same bytes", .min = 0});
    v.field("shape", shape,
            {.help = "height and width", .unit = "px", .min = 32, .max = 8192, .length = 2});
  }
};

// A key of a run's configuration (config/run_config.h) with its value as YAML on one line.
struct ConfigOverride {
  std::string key;
  std::string value;

  bool operator==(const ConfigOverride&) const = default;
};

struct StudyVariant {
  std::string name;
  std::string about = {};  // one sentence for the page
  std::vector<ConfigOverride> overrides = {};
};

struct StudyData {
  std::string name;
  std::filesystem::path base;  // run configuration that the runs on this data start from
  RenderOptions render = {};
  std::vector<ConfigOverride> overrides = {};
};

// What one study YAML says:
//
//   base: ../kitti_mini.yaml      # run configuration, relative to this file
//   seeds: [0, 1, 2]
//   reference: one_sigmoid        # variant that the others are compared with; default: the first
//   judge: {pictures: 200}        # JudgeOptions
//   data:                         # optional; default: that of `base` alone
//     kitti_mini: {data.image_shape: [96, 320]}
//     car_parks:
//       base: ../ncdb_rendered.yaml
//       render: {layout: ncdb, frames: 4000, seed: 21, shape: [128, 224]}
//   variants:
//     levels_256: {about: 256 levels by argmax}
//     one_sigmoid:
//       model: {params: {use_dual_head: false}}
//     levels_48: {model.params.n_integer_levels: 48, model.params.codec: rounded}
//
// A variant and an entry of `data` take every key of a run's configuration but output_dir, seed and
// quantize, nested or with dots.
struct StudyConfig {
  std::string name;        // of the file, without extension
  std::string output_dir;  // where the YAML names one; empty otherwise
  std::vector<int64_t> seeds = {0};
  std::string reference;  // name of a variant
  JudgeOptions judge;
  std::vector<StudyVariant> variants;
  std::vector<StudyData> data;
};

// Reads a study and applies overrides of the form key.path=value ("seeds=[0]",
// "variants.one_sigmoid.optimizer.lr=1e-3"). Strict: unknown keys, names and keys given twice,
// values out of range, seeds that repeat, an unknown reference and profile npu with per-channel
// weights are gathered and thrown together as one ConfigError, a line each:
//
//   heads.yaml:12: variants.levels_48.model.params.max_dept: unknown key; did you mean max_depth?
StudyConfig load_study(const std::filesystem::path& file,
                       std::span<const std::string> overrides = {});

// The same from text; `file` stands for it in messages, and base is relative to its folder.
StudyConfig parse_study(const std::string& yaml, const std::filesystem::path& file,
                        std::span<const std::string> overrides = {});

}  // namespace dualdepth::study
