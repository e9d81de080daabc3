#pragma once

#include <string>
#include <vector>

namespace dualdepth {

// Returns a short name for each path of a model file or folder, such that no two different paths
// share one: the file's name without extension where that suffices, else with it, else with as many
// of its folders before it as needed, where "..." stands for those in between:
//
//   runs/a/depth.safetensors, out/int8.onnx   depth, int8
//   a/depth.safetensors, a/depth.onnx         depth.safetensors, depth.onnx
//   a/checkpoints/best.ts, b/checkpoints/best.ts   a/.../best.ts, b/.../best.ts
std::vector<std::string> short_names(const std::vector<std::string>& paths);

}  // namespace dualdepth
