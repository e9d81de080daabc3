#pragma once

#include <torch/types.h>

#include <cstdint>
#include <functional>

#include "dualdepth/deploy/graph.h"
#include "dualdepth/model/depth_net.h"

namespace dualdepth::deploy {

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
// lies at kRoom above 0 and a Relu is put behind the head: losing logits end at 0, and any
// quantizer finds the winners' range by plain min-max.
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

inline constexpr double kCentringRoom = 3;

// Called with each calibration picture in turn, as the network sees it: [1, 3, H, W] in 0..1; an
// undefined tensor ends. It is gone through twice.
using PictureSource = std::function<torch::Tensor(size_t index)>;

// graph: its output `logits` is a 3x3 convolution over the map that `net` computes. Throws Error
// when there is no such head or no picture.
Centring fit_centring(const Graph& graph, DepthNet& net, const PictureSource& pictures);

// The graph with centred filters and biases and a Relu behind them.
Graph center_logits(const Graph& graph, const Centring& centring);

}  // namespace dualdepth::deploy
