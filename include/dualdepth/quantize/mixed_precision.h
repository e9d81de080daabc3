#pragma once

#include <optional>
#include <string>
#include <vector>

#include "dualdepth/quantize/quantize_graph.h"

namespace dualdepth::quantize {

// Which convolutions get 16 bits or stay float, by measured sensitivity: those whose 8 bits alone
// move depth most (quantize/diagnosis.h) come first, or those that harm `error` most.
enum class Sensitivity { kDepth, kError };

struct MixedPrecision {
  size_t keep = 0;  // as many stay float, whatever the error
  // error(quantized) <= budget * error(float), or error(float) <= budget * error(quantized) where
  // higher is better, with the fewest convolutions whose value and filters get 16 bits, where the
  // target has them; if that does not do, with the fewest of these that stay float. 0: none.
  double budget = 0;
  ErrorOf error = {};  // for the budget, and Sensitivity::kError
  Better better = Better::kLower;
  Sensitivity sensitivity = Sensitivity::kDepth;
  // That layers are diagnosed on; none: options.judged_pictures of calibration.
  std::optional<Pictures> judged = {};
};

struct MixedQuantization {
  Quantization quantization;
  std::vector<std::string> kept = {};  // convolutions in float, the most sensitive first
  std::vector<std::string> wide = {};  // convolutions of 16 bits, likewise
  // error(quantized) / error(float), or the inverse where higher is better; 1 when both are 0; 0
  // without a budget.
  double ratio = 0;
};

// Quantizes with the plan of choose_plan(), and with as many more convolutions of 16 bits or in
// float as `mixed` asks for; under a budget some 2 log2(number) plans are tried, whose scales are
// all of the same statistics. Throws Error when even all in float break the budget.
MixedQuantization quantize_mixed(const graph::Graph& graph, const Contract& contract,
                                 const Pictures& pictures, const QuantizeOptions& options,
                                 const MixedPrecision& mixed);

}  // namespace dualdepth::quantize
