// Files that cannot be quantized: one error each, which says what to do.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>

#include "dualdepth/base/error.h"
#include "dualdepth/quantize/quantize_graph.h"
#include "dualdepth/quantize/quantize_model.h"
#include "onnx/one_node_model.h"

namespace dualdepth::quantize {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using testing::ModelBuilder;
using testing::TempFolder;

class HostileModels : public ::testing::Test {
 protected:
  // x -> Conv of one filter -> y.
  static ModelBuilder conv_model() {
    ModelBuilder model;
    model.add_floats("w", {1, 3, 1, 1}, {1, 1, 1});
    model.add("Conv", {"x", "w"}, "y");
    model.end("y");
    return model;
  }

  static Contract depth_card() { return {.outputs = {{.name = "y", .is = OutputKind::kDepth}}}; }

  Pictures pictures() const {
    return {.count = 2, .at = [](size_t) { return torch::rand({1, 3, 8, 8}); }};
  }

  // Opens and quantizes the file; the message of its one error.
  std::string error_of(const ModelBuilder& model, const std::optional<Contract>& card) const {
    try {
      const auto file = open_float_model(model.write(folder_), {}, card);
      quantize_graph(file.graph, file.contract, pictures(), {});
    } catch (const Error& error) {
      return error.what();
    }
    return "no error";
  }

  static void cast_output(ModelBuilder& model, int64_t type) {
    model.graph().mutable_node(0)->set_output(0, "c");
    ModelBuilder::set(model.add("Cast", {"c"}, "y"), "to", type);
  }

  TempFolder folder_;
};

TEST_F(HostileModels, WithTwoPicturesAndNoCardListTheirInputs) {
  ModelBuilder model;
  model.add_input("second", {1, 3, 8, 8});
  model.add("Sub", {"x", "second"}, "y");
  model.end("y");
  EXPECT_THAT(error_of(model, {}), AllOf(HasSubstr("--card"), HasSubstr("second float")));
  EXPECT_THAT(error_of(model, depth_card()),
              AllOf(HasSubstr("one input"), HasSubstr("second float")));
}

TEST_F(HostileModels, QuantizedAlreadyAreNamed) {
  auto model = conv_model();
  model.add_floats("s", {}, {0.1F});
  model.add("QuantizeLinear", {"x", "s"}, "q");
  model.add("DequantizeLinear", {"q", "s"}, "d");
  model.graph().mutable_node()->SwapElements(0, 1);
  model.graph().mutable_node()->SwapElements(1, 2);
  model.graph().mutable_node(2)->set_input(0, "d");
  EXPECT_THAT(error_of(model, depth_card()), HasSubstr("quantized already"));
}

TEST_F(HostileModels, WithALoopAreNamed) {
  auto model = conv_model();
  model.graph().mutable_node(0)->set_output(0, "c");
  auto& branch = model.add("If", {"c"}, "y");
  for (const char* name : {"then_branch", "else_branch"}) {
    auto* attribute = branch.add_attribute();
    attribute->set_name(name);
    attribute->set_type(onnx::AttributeProto::GRAPH);
    attribute->mutable_g()->set_name(name);
  }
  EXPECT_THAT(error_of(model, depth_card()),
              AllOf(HasSubstr("the_If"), HasSubstr("without a graph of its own")));
}

// A sparse file: it takes no space on the disk.
TEST_F(HostileModels, WithThreeGigabytesOfExternalDataAreRefusedBeforeTheyAreRead) {
  auto model = conv_model();
  auto& tensor = *model.graph().add_initializer();
  tensor.set_name("huge");
  tensor.set_data_type(onnx::TensorProto::FLOAT);
  tensor.add_dims(int64_t{3} << 28);
  tensor.set_data_location(onnx::TensorProto::EXTERNAL);
  auto* location = tensor.add_external_data();
  location->set_key("location");
  location->set_value("huge.bin");
  std::ofstream(folder_ / "huge.bin").put(0);
  std::filesystem::resize_file(folder_ / "huge.bin", uintmax_t{3} << 30);
  EXPECT_THAT(error_of(model, depth_card()),
              AllOf(HasSubstr("less than 2 GB"), HasSubstr("3221225472 bytes")));
}

TEST_F(HostileModels, WithOutputsOfWholeNumbersOrHalfPrecisionAreQuantizedOrNamed) {
  struct Case {
    int64_t type;
    const char* expected;
  };
  for (const auto& [type, expected] : {Case{onnx::TensorProto::INT64, "no error"},
                                       Case{onnx::TensorProto::UINT8, "no error"},
                                       Case{onnx::TensorProto::FLOAT16, "no error"},
                                       Case{onnx::TensorProto::STRING, "y"}}) {
    auto model = conv_model();
    cast_output(model, type);
    EXPECT_THAT(error_of(model, depth_card()), HasSubstr(expected)) << type;
  }
}

}  // namespace
}  // namespace dualdepth::quantize
