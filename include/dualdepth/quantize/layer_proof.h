#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "dualdepth/graph/graph.h"
#include "dualdepth/graph/pictures.h"
#include "dualdepth/quantize/file_values.h"
#include "dualdepth/runtime/exported_model.h"

// A quantized file in a runtime compared with the graph that it was written from, layer by layer on
// the runtime's own values, so that a difference in one layer does not reach the next. (Of two
// runtimes that both compute a file rightly the final depths may be far apart: float32 sums round
// by their order, and one code of difference in an early layer becomes another level later.)
//
// A layer ends where the file has codes (FakeQuantize), at an ArgMax and at an output. It is
// computed in LibTorch (graph/run_graph.h) from the codes that the runtime had for its inputs. Let
// y be the value before rounding. The runtime's code q is
//
//   equal       |y / s + z - q| <= 1/2 + kNearHalf, y / s + z clamped to the range of codes: q is
//               the nearest code, or y / s is so near to a half that it may be rounded either way
//               (by float32's error; OpenVINO also adds z before it rounds halves to even)
//   off by one  above, up to 3/2 + kNearHalf
//   wrong       further away, or NaN
//
// A layer holds when none of its codes is wrong and kEqualCodes of them are equal, over all
// pictures, and in each channel kEqualCodes or all but one. One wrong filter changes one channel
// only.
//
// A level holds when it is the index of the greatest code of the runtime's own logits, the first of
// equals. Where the logits have no codes, it is that of the greatest logit; in near ties, where the
// two best are less than kOutputTolerance of the greatest |logit| apart, it may be either of these.
// kEqualLevels of the pixels have to hold.
//
// Any other output is finite and differs by at most kOutputTolerance of the greatest |value| of the
// output.
namespace dualdepth::quantize {

// Share of a layer's codes.
inline constexpr double kEqualCodes = 0.999;
// In codes of 8 bits; 256 times that in codes of 16 bits. Float32 rounds y / s + z, up to 255
// large, and the products and sums before it.
inline constexpr double kNearHalf = 1e-3;
// Share of the pixels.
inline constexpr double kEqualLevels = 0.9999;
// A float32 sum of n products is off by at most n 2^-24 of the sum of their magnitudes: 1700
// products in the worst order, millions in the usual one.
inline constexpr double kOutputTolerance = 1e-4;

// Opens the file in a runtime so that run() also returns these values inside it: codes as int8 or
// uint8, indices as int64 or int32.
using OpenExposed =
    std::function<std::unique_ptr<ExportedModel>(const std::vector<std::string>& exposed)>;

// The layers that are proven in one run of each picture: as codes and in float32 1.3 GB.
inline constexpr int64_t kValuesAtOnce = int64_t{1} << 28;

// Throws Error naming `file`, the first layer in the order of running that does not hold by its
// name in the file, the share that is expected and found, the picture with most of the difference
// and what to do. Layers of more than values_at_once values are proven in several runs, for each of
// which the file is opened.
void prove_layers(const graph::Graph& graph, const FileValues& names, const OpenExposed& open,
                  const graph::Pictures& pictures, const std::string& file,
                  int64_t values_at_once = kValuesAtOnce);

}  // namespace dualdepth::quantize
