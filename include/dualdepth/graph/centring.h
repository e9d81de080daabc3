#pragma once

#include <torch/types.h>

#include <cstdint>

#include "dualdepth/graph/graph.h"
#include "dualdepth/graph/pictures.h"

namespace dualdepth::graph {

// Argmax-invariant centring of the integer head. ArgMax does not change when one value is
// subtracted from all logits of a pixel. Training lets that value wander (the winning logit from
// 0.4 to 82 over one picture, while the two best differ by 0.1), and an 8-bit tensor spends its
// steps on it. So a value v that is linear in the head's own input patch p is fitted to the winning
// logit by least squares over calibration pixels,
//
//   v(p) = a . p + b,   min sum (max_k logit_k(p) - v(p))^2
//
// and subtracted from each of the K filters and biases: the winner's spread falls by an order of
// magnitude at no cost when running. Then the biases are shifted so that the smallest winner seen
// lies kCentringRoom times their spread above 0 and a Relu is put behind the head: losing logits
// end at 0, and any quantizer finds the winners' range by plain min-max.
struct Centring {
  torch::Tensor filter;         // a: float [C, 3, 3]
  float offset = 0;             // b and the shift together
  torch::Tensor feature_peaks;  // greatest value of each channel of the map the head reads, [C]

  int64_t pixels = 0;        // of calibration
  double spread_before = 0;  // standard deviation of the winning logit
  double spread_after = 0;
  double smallest = 0;  // winner, after centring and shift
  double greatest = 0;
};

// In units of spread_after: argmax does not change when all logits are multiplied by one factor,
// and neither does the share of the range that the winners get.
inline constexpr double kCentringRoom = 7.5;

// Goes through the pictures twice. Throws Error when the graph has no integer head of 3x3 filters
// or there is no picture.
Centring fit_centring(const Graph& graph, const Pictures& pictures);

// The graph with centred filters and biases and a Relu behind them. Nodes behind the head move by
// one.
Graph center_logits(const Graph& graph, const Centring& centring);

}  // namespace dualdepth::graph
