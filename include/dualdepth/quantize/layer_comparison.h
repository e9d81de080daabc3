#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "dualdepth/quantize/layer_dump.h"

namespace dualdepth::quantize {

// One layer of a dump compared with the golden one, over all pictures. With golden values g and
// dumped values d, both as real numbers:
//
//   sqnr         10 log10(sum g^2 / sum (g - d)^2), dB; kEqualSqnr where all are equal
//   cosine       sum g d / sqrt(sum g^2 sum d^2); 1 where both are all 0, 0 where one is
//   worst_steps  max |g - d| / s
//   equal        share of |g - d| < s / 2: those with the golden code, or that round to it
//
// s is the scale of golden codes; 1 of integers without a scale, such as levels; and of float
// values a 255th of the range that the golden ones take.
struct ComparedLayer {
  std::string name;  // golden
  std::string operation;
  std::vector<int64_t> shape;
  bool is_missing = false;  // not in the dump; all else is 0 then
  double sqnr = 0;
  double cosine = 0;
  double worst_steps = 0;
  double equal = 0;
  uint64_t not_finite = 0;  // NaN or infinity in the dump; they are left out of the figures
  bool departs = false;     // sqnr is below the threshold, or a value is not finite
};

inline constexpr double kEqualSqnr = 999;

struct LayerComparison {
  std::vector<ComparedLayer> layers;  // in network order
  std::vector<std::string> unknown;   // in the dump, but not golden: names or files

  size_t missing() const;
  // The first layer in network order that departs; nullptr when all that are there agree.
  const ComparedLayer* first_departure() const;
};

// What a layer's SQNR has to reach. Runtimes that round to the neighbouring code now and then mostly stay
// above it; a wrong scale, zero point, padding or rounding mode does not.
inline constexpr double kLayerSqnr = 20;

// Compares a dump with the golden one. `dump` is either
//
//   a folder with an index.json as layer_dump.h says: layers are found by name, and integers are
//   codes of the scale and zero point there; or
//   any folder with NAME.npy, NAME being file_name_of() the golden layer's name, or of one of its
//   `also` names: float16, float32 or float64 are values; integers are codes of the golden scale
//   and zero point. 8-bit codes are of the golden type; wider integers may hold them, too.
//
// Each has the golden shape. Throws Error for a folder in which no golden layer is found, and
// naming the file for another shape or type. progress: called with the number of layers done.
LayerComparison compare_layers(const LayerDump& golden, const std::filesystem::path& dump,
                               double least_sqnr = kLayerSqnr,
                               const std::function<void(size_t done)>& progress = {});

}  // namespace dualdepth::quantize
