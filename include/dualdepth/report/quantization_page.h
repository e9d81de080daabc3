#pragma once

#include <nlohmann/json.hpp>
#include <string>
#include <vector>

namespace dualdepth {

// |8 bits - float| depth over pixels, after a step of quantization.
struct QuantizationStage {
  std::string name;
  double mean_mm = 0, median_mm = 0, percent = 0;  // percent: of float's depth, mean
  double equal_levels = 0, level_shift = 0;
};

// One part of the network in 8 bits while all others are float.
struct QuantizationLayer {
  std::string name;
  size_t place = 0;  // in the order of computation
  double percent = 0, mean_mm = 0;
  double error = 0;                   // by QuantizationReport::measure
  double snr_alone = 0, snr_all = 0;  // dB, with only this part and with all in 8 bits
  std::string advice = {};
};

// What `dualdepth quantize` measured.
struct QuantizationReport {
  std::string model, file, profile;
  std::string measure = {};                    // "abs_rel", "metric"; empty: not measured
  double float_error = 0;                      // by that measure
  std::vector<QuantizationStage> stages = {};  // the last one is the file itself
  std::vector<QuantizationLayer> layers = {};  // the worst first; empty without --diagnose
  std::vector<std::string> float_layers = {};  // that stayed float
};

// {"model", "file", "profile", "stages": [...], "layers": [...], "float_layers": [...],
//  "float_abs_rel": ...}
nlohmann::ordered_json quantization_json(const QuantizationReport& report);

// The same as one self-contained HTML page, with the noise of each layer alone and of all together
// plotted in the order of computation.
std::string quantization_page(const QuantizationReport& report);

}  // namespace dualdepth
