#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include "dualdepth/config/contract.h"
#include "dualdepth/quantize/quantize_graph.h"

// What a quantized network's scales are for tools that quantize a float ONNX file by themselves.
namespace dualdepth::quantize {

// How one tensor of the float file is quantized.
struct TensorEncoding {
  std::string name;           // of the tensor
  std::vector<float> scales;  // one, or one for each index along axis 0
  int64_t zero_point = 0;     // code of 0
  int64_t bits = 8;
  bool is_signed = false;
  bool is_per_channel = false;

  bool operator==(const TensorEncoding&) const = default;
};

struct Encodings {
  std::vector<TensorEncoding> values;   // activations
  std::vector<TensorEncoding> filters;  // parameters
};

// AIMET's encodings, version 1.0.0, which Qualcomm's converters take as quantization overrides:
// for each tensor
//
//   {"name", "bw": bits, "dtype": "INT", "enc_type": "PER_TENSOR" or "PER_CHANNEL",
//    "is_sym": signed, "scale": [...], "offset": [...]}
//
// where offset counts unsigned codes: -zero_point, and -2^(bits - 1) for signed ones.
std::string aimet_encodings(const Encodings& encodings);

// TensorRT's calibration cache: the line "TRT-8601-EntropyCalibration2", then "NAME: HEX" for each
// value, HEX the big-endian bytes of the float32 scale
//
//   s = max(|low|, |high|) / 127
//
// of the range that its codes cover. Filters have no entry: TensorRT measures them itself.
std::string tensorrt_calibration_cache(const Encodings& encodings);

// The float network that the encodings are for: filters are the quantized ones' numbers, so that
// rounding to nearest by their scales gives their codes; biases are the corrected ones, the head's
// those of lower_head().
graph::Graph float_graph(const Quantization& quantization);

// Of float_graph() as to_onnx() writes it.
Encodings encodings_of(const Quantization& quantization);

// Writes into a folder, which it makes:
//
//   float.onnx            float_graph()
//   aimet.encodings       aimet_encodings()
//   tensorrt.calibration  tensorrt_calibration_cache(), for 8-bit values only
void write_encodings(const Quantization& quantization, const Contract& contract,
                     const std::filesystem::path& folder);

}  // namespace dualdepth::quantize
