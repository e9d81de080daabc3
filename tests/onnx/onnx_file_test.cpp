#include "dualdepth/onnx/onnx_file.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <onnx/onnx_pb.h>

#include <filesystem>
#include <fstream>

#include "dualdepth/base/error.h"
#include "testing/temp_folder.h"

namespace dualdepth {
namespace {

namespace fs = std::filesystem;
using ::testing::AllOf;
using ::testing::HasSubstr;
using testing::TempFolder;
using ::testing::ThrowsMessage;

onnx::ModelProto small_model() {
  onnx::ModelProto model;
  model.set_ir_version(7);
  model.add_opset_import()->set_version(13);
  model.mutable_graph()->set_name("g");
  model.mutable_graph()->add_input()->set_name("x");
  model.mutable_graph()->add_output()->set_name("y");
  auto* node = model.mutable_graph()->add_node();
  node->set_op_type("Relu");
  node->add_input("x");
  node->add_output("y");
  auto* entry = model.add_metadata_props();
  entry->set_key("key");
  entry->set_value("value");
  return model;
}

void write(const fs::path& file, const std::string& bytes) {
  std::ofstream(file, std::ios::binary) << bytes;
}

void write(const fs::path& file, const onnx::ModelProto& model) {
  write(file, model.SerializeAsString());
}

onnx::TensorProto& add_external(onnx::ModelProto& model, const std::string& location,
                                const std::string& length) {
  auto* tensor = model.mutable_graph()->add_initializer();
  tensor->set_name("w");
  tensor->set_data_location(onnx::TensorProto::EXTERNAL);
  for (const auto& [key, value] : {std::pair{"location", location}, std::pair{"length", length}}) {
    auto* entry = tensor->add_external_data();
    entry->set_key(key);
    entry->set_value(value);
  }
  return *tensor;
}

TEST(OnnxFile, GivesModelAndMetadata) {
  const TempFolder folder;
  write(folder / "m.onnx", small_model());
  const OnnxFile file(folder / "m.onnx");
  EXPECT_EQ(file.model().graph().node(0).op_type(), "Relu");
  EXPECT_EQ(file.metadata("key"), "value");
  EXPECT_EQ(file.metadata("other"), std::nullopt);
}

TEST(OnnxFile, ThatIsTruncatedOrNoneIsRefused) {
  const TempFolder folder;
  auto model = small_model();
  model.mutable_graph()->mutable_node(0)->set_doc_string(std::string(1000, 'x'));
  const auto bytes = model.SerializeAsString();
  write(folder / "m.onnx", bytes.substr(0, bytes.size() - 500));
  EXPECT_THAT([&] { OnnxFile(folder / "m.onnx"); },
              ThrowsMessage<Error>(AllOf(HasSubstr("m.onnx"), HasSubstr("truncated"))));
  write(folder / "m.onnx", std::string("\x89PNG\r\n no model at all"));
  EXPECT_THROW(OnnxFile(folder / "m.onnx"), Error);
  EXPECT_THROW(OnnxFile(folder / "none.onnx"), Error);
}

TEST(OnnxFile, OfAFutureVersionIsRefused) {
  const TempFolder folder;
  auto model = small_model();
  model.set_ir_version(99);
  write(folder / "m.onnx", model);
  EXPECT_THAT([&] { OnnxFile(folder / "m.onnx"); },
              ThrowsMessage<Error>(AllOf(HasSubstr("IR version 1 to"), HasSubstr("99"))));
}

TEST(OnnxFile, WhoseOutputNoNodeMakesIsRefused) {
  const TempFolder folder;
  auto model = small_model();
  model.mutable_graph()->add_output()->set_name("fraction");
  write(folder / "m.onnx", model);
  EXPECT_THAT([&] { OnnxFile(folder / "m.onnx"); },
              ThrowsMessage<Error>(HasSubstr("a node that makes the output fraction")));
}

TEST(OnnxFile, ExternalDataMayNotLeaveTheFolder) {
  const TempFolder folder;
  fs::create_directory(folder / "models");
  write(folder / "secret", std::string("12345678"));
  fs::create_symlink(folder / "secret", folder / "models" / "link");
  for (const std::string location : {"../secret", "/etc/hostname", "link", ""}) {
    auto model = small_model();
    add_external(model, location, "4");
    write(folder / "models" / "m.onnx", model);
    EXPECT_THAT([&] { OnnxFile(folder / "models" / "m.onnx"); },
                ThrowsMessage<Error>(AllOf(HasSubstr("tensor w"), HasSubstr("own folder"))))
        << location;
  }
}

TEST(OnnxFile, ExternalDataMustBeLongEnough) {
  const TempFolder folder;
  write(folder / "data", std::string("12345678"));
  auto model = small_model();
  add_external(model, "data", "8");
  write(folder / "m.onnx", model);
  EXPECT_NO_THROW(OnnxFile(folder / "m.onnx"));
  auto longer = small_model();
  add_external(longer, "data", "9");
  write(folder / "m.onnx", longer);
  EXPECT_THAT([&] { OnnxFile(folder / "m.onnx"); },
              ThrowsMessage<Error>(HasSubstr("a file of 8 bytes")));
}

}  // namespace
}  // namespace dualdepth
