#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "dualdepth/config/export_options.h"
#include "dualdepth/graph/graph.h"

namespace onnx {
class ModelProto;
}

namespace dualdepth {

struct OnnxOptions {
  OnnxProfile profile = OnnxProfile::kPortable;
  bool dynamic = false;  // any batch and size instead of the graph's
  int64_t opset = 0;     // 13 to 21; 0: the profile's own, npu has no other
  std::map<std::string, std::string> metadata = {};  // entries of metadata_props
};

// The graph as an ONNX model. Each node carries the path of its module
// ("/encoder/layer1/0/conv1/Conv"), each initializer the parameter's name.
//
//   Affine         Mul, Add
//   Upsample       Resize (nearest, asymmetric, floor); npu: Upsample
//   ArgMax         axis 1, keepdims, the first of equals; openvino: as int32
//   FakeQuantize   QuantizeLinear, DequantizeLinear; npu: those of com.microsoft, opset 9 has none;
//                  so those of 16 bits before opset 21
//   Conv           with a weight_scale: int8 or int16 filters and, where the input has a grid and
//                  the profile is not tensorrt, int32 bias, each behind a DequantizeLinear; npu:
//                  Conv without a bias, Add. ONNX Runtime would make QLinearConv of a Conv with one
//                  and then refuse the file, since opset 9 has no such operator
//   ConvTranspose  the same; npu: with a float bias
//   ComposeDepth   Cast, Mul, Floor, Sub, Add, Exp or Reciprocal, Clip
std::unique_ptr<onnx::ModelProto> to_onnx(const graph::Graph& graph, const OnnxOptions& options);

// The name of each node's value in that model: those of inputs and outputs are the graph's own, the
// others "/encoder/conv1/Relu_output_0". Of a FakeQuantize it is the dequantized value.
std::vector<std::string> value_names(const graph::Graph& graph);

// The nodes, attributes and weights as bytes: the same for equal networks, whatever the size and
// the number of their pictures. Not a file.
std::string graph_bytes(const graph::Graph& graph);

// The model with the shapes of all values, as onnx::checker and full shape inference accept it; as
// it is where its opset is above 17, the newest that the library knows. Throws Error whose subject
// is `name` otherwise.
onnx::ModelProto checked_onnx(const onnx::ModelProto& model, const std::string& name);

// The bytes of a file of the model as checked_onnx() returns it. Throws Error whose subject is
// `name` when the check fails or the model has 2 GB or more.
std::string onnx_file_bytes(const onnx::ModelProto& model, const std::string& name);

// Writes these bytes, whole or not at all.
void write_onnx(const onnx::ModelProto& model, const std::filesystem::path& file);

}  // namespace dualdepth
