#pragma once

#include <string>
#include <vector>

#include "dualdepth/quantize/quantize_graph.h"

namespace dualdepth::quantize {

// One part of the network in 8 bits: a convolution with the grid behind it, or the grid of another
// operation.
struct LayerNoise {
  std::string name;         // of the value behind it
  std::string convolution;  // its name; empty for the grid of another operation
  size_t place = 0;         // in the order of computation
  DepthError alone;         // of the network when only this part is in 8 bits
  double error_alone = 0;   // error() of that network
  double snr_alone = 0;  // dB, signal to quantization noise of its value when only it is in 8 bits
  double snr = 0;        // dB, of its value in the whole 8-bit network
  std::string advice;    // what stands out in its weights or values; empty: nothing
};

// Each part in turn, the worst mean relative depth error first. The error is held against the float
// network on these pictures. error: measured of each part alone where it is given.
std::vector<LayerNoise> diagnose(const Quantization& quantization, const Contract& contract,
                                 const Pictures& pictures, const ErrorOf& error = {});

// Sorts layers by their error_alone, the worst first.
void sort_by_error(std::vector<LayerNoise>& layers, Better better);

}  // namespace dualdepth::quantize
