#pragma once

#include <nlohmann/json.hpp>
#include <string>

#include "trained_checkpoint.h"

namespace dualdepth {

// Quantizes a checkpoint that all tests share.
class Quantize : public TrainedCheckpoint {
 protected:
  static void SetUpTestSuite() { train(4, 12); }

  static testing::ProgramResult quantize(const std::string& model, const std::string& calibration,
                                         const Words& more = {}) {
    Words words{"quantize",   model, "--calibration", calibration,        "--out", path("q.onnx"),
                "--pictures", "1",   "--without",     "adaptive-rounding"};
    words.insert(words.end(), more.begin(), more.end());
    return run(words);
  }

  // Without the passes that try changes of the network, which take most of the time.
  static testing::ProgramResult quantize_plainly(const std::string& calibration, Words more) {
    more.insert(more.end(), {"--without", "centring", "--without", "equalization", "--without",
                             "bias-correction"});
    return quantize(checkpoint(), calibration, more);
  }

  // The run's configuration with a validation split of one frame.
  static std::string config_with_one_frame() {
    const std::string split = read_file(path("train.txt"));
    folder().write("one.txt", split.substr(0, split.find('\n') + 1));
    std::string config = read_file(path("run.yaml"));
    const std::string key = "val_split: " + path("train.txt");
    folder().write("one.yaml",
                   config.replace(config.find(key), key.size(), "val_split: " + path("one.txt")));
    return path("one.yaml");
  }

  static nlohmann::json json_of(const std::string& file) {
    return nlohmann::json::parse(read_file(path(file)));
  }
};

}  // namespace dualdepth
