// Files that were damaged or made to harm: each is read or refused with an Error, and nothing else
// happens. The damage is drawn from a seeded stream, so that a failure can be repeated.

#include <gtest/gtest.h>

#include <algorithm>
#include <fstream>
#include <functional>
#include <vector>

#include "dualdepth/base/error.h"
#include "dualdepth/base/random.h"
#include "dualdepth/onnx/lint.h"
#include "dualdepth/onnx/onnx_reader.h"
#include "one_node_model.h"

namespace dualdepth {
namespace {

using testing::ModelBuilder;
using testing::TempFolder;

// Convolution, quantized values and filters, resizing, pooling, movement: each branch of a decoder.
std::string float_model() {
  ModelBuilder model;
  model.add_floats("w", {4, 3, 3, 3}, std::vector<float>(108, 0.1F));
  model.add_floats("b", {4}, {0, 1, 2, 3});
  auto& conv = model.add("Conv", {"x", "w", "b"}, "c");
  ModelBuilder::set(conv, "pads", std::vector<int64_t>{1, 1, 1, 1});
  ModelBuilder::set(conv, "strides", std::vector<int64_t>{2, 2});
  model.add("Relu", {"c"}, "r");
  model.add_floats("scales", {4}, {1, 1, 2, 2});
  model.add("Resize", {"r", "", "scales"}, "u");
  ModelBuilder::set(model.add("Concat", {"u", "x"}, "j"), "axis", int64_t{1});
  model.add_integers("starts", {0, 1});
  model.add_integers("ends", {7, 8});
  model.add_integers("axes", {1, 2});
  model.add("Slice", {"j", "starts", "ends", "axes"}, "s");
  model.add_integers("pads", {0, 0, 1, 1, 0, 0, 0, 0});
  model.add("Pad", {"s", "pads"}, "p");
  ModelBuilder::set(model.add("ReduceMean", {"p"}, "m"), "axes", std::vector<int64_t>{1});
  ModelBuilder::set(model.add("ArgMax", {"p"}, "y"), "axis", int64_t{1});
  model.end("y");
  model.end("m");
  return model.model.SerializeAsString();
}

std::string quantized_model() {
  ModelBuilder model;
  model.add_floats("s", {}, {0.1F});
  model.add_codes("z", {}, {3}, onnx::TensorProto::UINT8);
  model.add("QuantizeLinear", {"x", "s", "z"}, "q");
  model.add("DequantizeLinear", {"q", "s", "z"}, "d");
  model.add_codes("codes", {2, 3, 1, 1}, {1, -2, 3, -4, 5, -6}, onnx::TensorProto::INT8);
  model.add_floats("scales", {2}, {0.5F, 0.25F});
  model.add_codes("zeros", {2}, {0, 0}, onnx::TensorProto::INT8);
  ModelBuilder::set(model.add("DequantizeLinear", {"codes", "scales", "zeros"}, "w"), "axis",
                    int64_t{0});
  model.add("Conv", {"d", "w"}, "c");
  auto& pool = model.add("MaxPool", {"c"}, "y");
  ModelBuilder::set(pool, "kernel_shape", std::vector<int64_t>{2, 2});
  model.end("y");
  return model.model.SerializeAsString();
}

// Shapes that are computed of constants and of the picture.
std::string shapes_model() {
  ModelBuilder model;
  model.add("Shape", {"x"}, "shape");
  model.add_integers("index", {2, 3});
  model.add("Gather", {"shape", "index"}, "sides");
  model.add_integers("two", {2, 2});
  model.add("Mul", {"sides", "two"}, "doubled");
  model.add_integers("front", {1, 3});
  ModelBuilder::set(model.add("Concat", {"front", "doubled"}, "sizes"), "axis", int64_t{0});
  model.add("Resize", {"x", "", "", "sizes"}, "u");
  model.add("ConstantOfShape", {"sizes"}, "zeros");
  model.add("Add", {"u", "zeros"}, "a");
  ModelBuilder::set(model.add("Transpose", {"a"}, "t"), "perm", std::vector<int64_t>{0, 2, 3, 1});
  model.add("Reshape", {"t", "front"}, "y");
  model.graph().mutable_initializer(2)->set_int64_data(1, -1);
  model.end("y");
  return model.model.SerializeAsString();
}

// Reads, infers and lints the bytes as a file.
void read_all(const std::string& bytes, const TempFolder& folder) {
  const auto path = folder / "damaged.onnx";
  std::ofstream(path, std::ios::binary) << bytes;
  try {
    const OnnxFile file(path);
    read_onnx(file, 8, 8);
  } catch (const Error& error) {
    EXPECT_FALSE(error.parts().subject.empty()) << error.what();
  }
  try {
    const OnnxFile file(path);
    lint(file, LintTarget::kNpu);
    lint(file, LintTarget::kTensorRt);
  } catch (const Error& error) {
    EXPECT_FALSE(error.parts().subject.empty()) << error.what();
  }
}

class DamagedFiles : public ::testing::TestWithParam<std::string (*)()> {
 protected:
  // Calls `damage` on a copy of the file `count` times.
  void repeat(int count, const std::function<void(std::string&, RandomStream&)>& damage) const {
    const std::string whole = GetParam()();
    for (int i = 0; i < count; ++i) {
      RandomStream random({17, static_cast<uint64_t>(i)});
      std::string bytes = whole;
      damage(bytes, random);
      SCOPED_TRACE(i);
      ASSERT_NO_THROW(read_all(bytes, folder_));
    }
  }

  TempFolder folder_;
};

TEST_P(DamagedFiles, TheWholeFileIsRead) {
  std::ofstream(folder_ / "m.onnx", std::ios::binary) << GetParam()();
  EXPECT_NO_THROW(read_onnx(OnnxFile(folder_ / "m.onnx"), 8, 8));
}

TEST_P(DamagedFiles, CutShort) {
  repeat(200, [](std::string& bytes, RandomStream& random) {
    bytes.resize(random.below(bytes.size()));
  });
}

TEST_P(DamagedFiles, WithFlippedBits) {
  repeat(800, [](std::string& bytes, RandomStream& random) {
    for (uint64_t flips = 1 + random.below(4); flips > 0; --flips) {
      bytes[random.below(bytes.size())] ^= static_cast<char>(1 << random.below(8));
    }
  });
}

// Numbers of a graph that a program would trust: sizes, axes, attributes, types, opset.
TEST_P(DamagedFiles, WithOtherNumbers) {
  constexpr std::array kNumbers{int64_t{0},   int64_t{-1},       int64_t{-2},
                                int64_t{7},   int64_t{1} << 20,  (int64_t{1} << 31) - 1,
                                int64_t{1} << 40, int64_t{1} << 62, INT64_MAX,
                                INT64_MIN,    int64_t{100},      int64_t{-100}};
  repeat(800, [&](std::string& bytes, RandomStream& random) {
    onnx::ModelProto model;
    ASSERT_TRUE(model.ParseFromString(bytes));
    const auto any = [&] { return kNumbers.at(random.below(kNumbers.size())); };
    auto& graph = *model.mutable_graph();
    const auto pick = [&](int size) {
      return static_cast<int>(random.below(static_cast<uint64_t>(std::max(size, 1))));
    };
    switch (random.below(6)) {
      case 0: {
        auto& sizes = *graph.mutable_input(0)->mutable_type()->mutable_tensor_type()->mutable_shape();
        sizes.mutable_dim(pick(sizes.dim_size()))->set_dim_value(any());
        break;
      }
      case 1: {
        auto& tensor = *graph.mutable_initializer(pick(graph.initializer_size()));
        if (tensor.dims_size() > 0) tensor.set_dims(pick(tensor.dims_size()), any());
        break;
      }
      case 2: {
        auto& tensor = *graph.mutable_initializer(pick(graph.initializer_size()));
        if (tensor.int64_data_size() > 0) {
          tensor.set_int64_data(pick(tensor.int64_data_size()), any());
        } else if (tensor.int32_data_size() > 0) {
          tensor.set_int32_data(pick(tensor.int32_data_size()), static_cast<int32_t>(any()));
        } else if (tensor.float_data_size() > 0) {
          tensor.set_float_data(pick(tensor.float_data_size()), static_cast<float>(any()));
        }
        break;
      }
      case 3: {
        auto& node = *graph.mutable_node(pick(graph.node_size()));
        for (auto& attribute : *node.mutable_attribute()) {
          if (attribute.ints_size() > 0) {
            attribute.set_ints(pick(attribute.ints_size()), any());
          } else {
            attribute.set_i(any());
          }
        }
        break;
      }
      case 4:
        graph.mutable_initializer(pick(graph.initializer_size()))
            ->set_data_type(static_cast<int32_t>(random.below(24)));
        break;
      default:
        model.mutable_opset_import(0)->set_version(static_cast<int64_t>(random.below(30)));
    }
    bytes = model.SerializeAsString();
  });
}

// Nodes that read other values, fewer or more of them, under another operator.
TEST_P(DamagedFiles, WithOtherNodes) {
  constexpr std::array kKinds{"Conv",    "ConvTranspose", "Gemm",      "MatMul",  "Resize",
                              "Pad",     "Slice",         "Split",     "Concat",  "Reshape",
                              "Softmax", "Gather",        "Transpose", "Expand",  "Squeeze",
                              "Clip",    "PRelu",         "MaxPool",   "ArgMax",  "Unsqueeze",
                              "Cast",    "Constant",      "Dropout",   "Flatten", "Upsample",
                              "AveragePool", "BatchNormalization", "DequantizeLinear",
                              "QuantizeLinear", "ConstantOfShape", "ReduceSum", "Loop", "If"};
  repeat(800, [&](std::string& bytes, RandomStream& random) {
    onnx::ModelProto model;
    ASSERT_TRUE(model.ParseFromString(bytes));
    auto& graph = *model.mutable_graph();
    auto& node = *graph.mutable_node(
        static_cast<int>(random.below(static_cast<uint64_t>(graph.node_size()))));
    std::vector<std::string> names{""};
    for (const auto& other : graph.node()) names.push_back(other.output(0));
    for (const auto& tensor : graph.initializer()) names.push_back(tensor.name());
    if (random.below(2) == 0) node.set_op_type(kKinds.at(random.below(kKinds.size())));
    const auto count = static_cast<int>(random.below(5));
    while (node.input_size() > count) node.mutable_input()->RemoveLast();
    while (node.input_size() < count) node.add_input("x");
    if (count > 0) {
      node.set_input(static_cast<int>(random.below(static_cast<uint64_t>(count))),
                     names.at(random.below(names.size())));
    }
    bytes = model.SerializeAsString();
  });
}

INSTANTIATE_TEST_SUITE_P(Files, DamagedFiles,
                         ::testing::Values(&float_model, &quantized_model, &shapes_model),
                         [](const auto& info) {
                           constexpr std::array kNames{"Float", "Quantized", "Shapes"};
                           return std::string(kNames.at(info.index));
                         });

}  // namespace
}  // namespace dualdepth
