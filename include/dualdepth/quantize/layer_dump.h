#pragma once

#include <cstddef>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "dualdepth/graph/graph.h"
#include "dualdepth/graph/pictures.h"
#include "dualdepth/io/npy_array.h"

// Golden tensors: what each layer of a quantized network computes, for comparing a chip or another
// runtime with it layer by layer (quantize/layer_comparison.h).
//
//   DIR/index.json
//   DIR/values/image.npy                                the input, as the file takes it
//   DIR/values/_encoder_conv1_FakeQuantize_output_0.npy  codes, uint8 or int8 [N, C, H, W]
//   DIR/values/level.npy                                a value without a scale: int64 or float32
//
// Each array holds the same N pictures in the same order along its first dimension. index.json:
//
//   {"format_version": 1, "model": "depth_int8.onnx", "pictures": N,
//    "input": {"name": "image", "file": "values/image.npy", "type": "float32", "shape": [...]},
//    "layers": [{"name": "/encoder/conv1/FakeQuantize_output_0", "operator": "Conv",
//                "file": "values/...npy", "type": "uint8", "shape": [N, 64, 96, 320],
//                "scale": 0.0131, "zero_point": 0,
//                "also": ["/encoder/conv1/Relu_output_0"]}, ...]}
//
// in network order. `name` is the value's name in the ONNX file. A code q stands for
// scale * (q - zero_point). `also` names the value in front of the codes, from which they differ by
// their rounding only. `operator` is what computes the value. Values that a runtime fuses away are
// left out: those that only a Relu or the codes behind them read.
namespace dualdepth::quantize {

struct DumpedValue {
  std::string name;
  std::string operation = {};  // empty: the input
  std::filesystem::path file;  // in the folder
  NpyType type = NpyType::kFloat32;
  std::vector<int64_t> shape = {};
  std::optional<double> scale = {};  // of codes
  int64_t zero_point = 0;
  std::vector<std::string> also = {};
};

struct LayerDump {
  std::filesystem::path folder;
  std::string model;
  size_t pictures = 0;
  DumpedValue input;
  std::vector<DumpedValue> layers;
};

inline constexpr const char* kLayerIndex = "index.json";
inline constexpr int kLayerIndexVersion = 1;

// The name of a value's file without its extension: the value's name with '_' for everything but
// letters, digits, '.', '-' and '_'; at most 200 characters.
std::string file_name_of(const std::string& value);

// Computes the pictures with graph::run_graph() and writes the folder; an earlier dump there is
// replaced. value_names: of each node's value in the file `model`. The folder appears whole: after
// an error, SIGINT or SIGTERM it is as it was before. Returns false after SIGINT or SIGTERM. Throws
// Error naming the file that cannot be written, or a folder that holds other files.
bool write_layer_dump(const graph::Graph& graph, const std::vector<std::string>& value_names,
                      const graph::Pictures& pictures, const std::string& model,
                      const std::filesystem::path& folder);

// Throws the Error that write_layer_dump() would throw for this folder, before the work begins.
void expect_dump_folder(const std::filesystem::path& folder);

// Reads index.json and compares each file's header with it. Throws Error naming the file and the
// entry for anything else than the layout above.
LayerDump read_layer_dump(const std::filesystem::path& folder);

}  // namespace dualdepth::quantize
