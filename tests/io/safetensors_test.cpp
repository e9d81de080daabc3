#include "dualdepth/io/safetensors.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstring>

#include "dualdepth/base/atomic_file.h"
#include "dualdepth/base/error.h"
#include "testing/hex.h"
#include "testing/shared_data.h"
#include "testing/temp_folder.h"

namespace dualdepth {
namespace {

using ::testing::AllOf;
using testing::bytes_from_hex;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using testing::shared_path;
using testing::TempFolder;
using ::testing::ThrowsMessage;

template <class T>
T element(const TensorView& view, size_t index) {
  T value;
  std::memcpy(&value, view.bytes.data() + index * sizeof(T), sizeof(T));
  return value;
}

// A file with this header and `data_bytes` zeros behind it.
std::string container(const std::string& header, size_t data_bytes) {
  uint64_t length = header.size();
  std::string file(sizeof length, '\0');
  std::memcpy(file.data(), &length, sizeof length);
  return file + header + std::string(data_bytes, '\0');
}

// safetensors 0.8.0 for Python, safetensors.numpy.save(tensors, {"format": "pt"}), of
//   weight: arange(6, float32).reshape(2, 3) / 4    step: int64 -7, a scalar
//   scale: float64 [1.5]   half: float16 [0.5, -2]  level: int32 [3, -4]  index: int16 [-1, 300]
//   tiny: int8 [-3]        mask: uint8 [1, 0, 255]  flag: [True, False]   none: float32 [0, 4]
std::string python_file() {
  const std::string header =
      R"({"__metadata__":{"format":"pt"},"step":{"dtype":"I64","shape":[],"data_offsets":[0,8]},)"
      R"("scale":{"dtype":"F64","shape":[1],"data_offsets":[8,16]},)"
      R"("none":{"dtype":"F32","shape":[0,4],"data_offsets":[16,16]},)"
      R"("weight":{"dtype":"F32","shape":[2,3],"data_offsets":[16,40]},)"
      R"("level":{"dtype":"I32","shape":[2],"data_offsets":[40,48]},)"
      R"("half":{"dtype":"F16","shape":[2],"data_offsets":[48,52]},)"
      R"("index":{"dtype":"I16","shape":[2],"data_offsets":[52,56]},)"
      R"("tiny":{"dtype":"I8","shape":[1],"data_offsets":[56,57]},)"
      R"("mask":{"dtype":"U8","shape":[3],"data_offsets":[57,60]},)"
      R"("flag":{"dtype":"BOOL","shape":[2],"data_offsets":[60,62]}})";
  return container(header, 0) +
         bytes_from_hex(
             "f9ffffffffffffff000000000000f83f000000000000803e0000003f0000403f0000803f0000a03f0300"
             "0000fcffffff003800c0ffff2c01fd0100ff0100");
}

TEST(SafetensorsFile, ReadsWhatPythonWrote) {
  const TempFolder folder;
  const SafetensorsFile file(folder.write("a.safetensors", python_file()));
  ASSERT_EQ(file.tensors().size(), 10u);
  EXPECT_EQ(file.metadata().at("format"), "pt");
  const TensorView& weight = file.tensors().at("weight");
  EXPECT_EQ(weight.type, TensorType::kF32);
  EXPECT_THAT(weight.shape, ElementsAre(2, 3));
  EXPECT_EQ(element<float>(weight, 5), 1.25f);
  EXPECT_THAT(file.tensors().at("step").shape, IsEmpty());
  EXPECT_EQ(element<int64_t>(file.tensors().at("step"), 0), -7);
  EXPECT_EQ(element<double>(file.tensors().at("scale"), 0), 1.5);
  EXPECT_EQ(element<int16_t>(file.tensors().at("index"), 1), 300);
  EXPECT_EQ(file.tensors().at("mask").bytes.size(), 3u);
  EXPECT_THAT(file.tensors().at("none").shape, ElementsAre(0, 4));
}

TEST(SafetensorsFile, ReadsTheRealResNetWeights) {
  DUALDEPTH_NEEDS_SHARED("weights/resnet18_partial.safetensors");
  const SafetensorsFile file(shared_path("weights/resnet18_partial.safetensors"));
  const TensorView& stem = file.tensors().at("conv1.weight");
  EXPECT_THAT(stem.shape, ElementsAre(64, 3, 7, 7));
  // Python: safe_open(file, "np").get_tensor("conv1.weight").flat[:2]
  EXPECT_EQ(element<float>(stem, 0), -0.002536008134484291f);
  EXPECT_EQ(element<float>(stem, 1), -0.0014933706261217594f);
}

TEST(WriteSafetensors, WritesTheSameBytesAsPythonsLibrary) {
  const TempFolder folder;
  const SafetensorsFile python(folder.write("python.safetensors", python_file()));
  write_safetensors(folder / "own.safetensors", python.tensors(), python.metadata());
  EXPECT_EQ(read_file(folder / "own.safetensors"), python_file());
}

TEST(WriteSafetensors, AlignsTheDataBehindAHeaderOfAnyLength) {
  const TempFolder folder;
  const float value = 4;
  for (const char* name : {"a", "ab", "abc", "abcd"}) {
    const TensorView view{TensorType::kF32, {1}, std::as_bytes(std::span(&value, 1))};
    write_safetensors(folder / "a", {{name, view}}, {});
    const SafetensorsFile file(folder / "a");
    const auto address = reinterpret_cast<uintptr_t>(file.tensors().at(name).bytes.data());
    EXPECT_EQ(address % 8, 0u);
    EXPECT_EQ(element<float>(file.tensors().at(name), 0), 4.0f);
  }
}

TEST(SafetensorsFile, OutlivesItsReplacementOnDisk) {
  const TempFolder folder;
  const float before = 1;
  const float after = 2;
  const auto write = [&](const float& value) {
    write_safetensors(folder / "a",
                      {{"x", {TensorType::kF32, {}, std::as_bytes(std::span(&value, 1))}}}, {});
  };
  write(before);
  const SafetensorsFile file(folder / "a");
  write(after);
  EXPECT_EQ(element<float>(file.tensors().at("x"), 0), 1.0f);
}

struct LyingHeader {
  const char* name;
  std::string file;
  const char* complaint;
};

void PrintTo(const LyingHeader& value, std::ostream* out) { *out << value.name; }

class LyingSafetensors : public ::testing::TestWithParam<LyingHeader> {};

TEST_P(LyingSafetensors, IsRefusedWithItsName) {
  const TempFolder folder;
  const auto path = folder.write("lying.safetensors", GetParam().file);
  EXPECT_THAT([&] { SafetensorsFile file(path); },
              ThrowsMessage<Error>(AllOf(HasSubstr(path.string()), HasSubstr("expected "),
                                         HasSubstr(GetParam().complaint))));
}

std::string one_tensor(const std::string& description, size_t data_bytes) {
  return container("{\"x\":" + description + "}", data_bytes);
}

INSTANTIATE_TEST_SUITE_P(
    All, LyingSafetensors,
    ::testing::Values(
        LyingHeader{"Empty", "", "got 0 bytes"},
        LyingHeader{"Pickle", "PK\x03\x04\x2d\x01\x01\x01 and more", "a length of"},
        LyingHeader{"HeaderPastTheEnd", container("{}", 0).replace(0, 1, "\x7f"),
                    "a length of 127"},
        LyingHeader{"HeaderOf100Megabytes", std::string("\0\0\x40\x06\0\0\0\0", 8) + "{}",
                    "a length of 104857600"},
        LyingHeader{"HeaderLengthOverflows", std::string(8, '\xff') + "{}",
                    "a length of 18446744073709551615"},
        LyingHeader{"NoJson", container("{\"x\": ", 0), "expected a JSON header"},
        LyingHeader{"NoObject", container("[1]", 0), "expected a JSON object"},
        LyingHeader{"NestedBrackets", container(std::string(100000, '['), 0), "expected "},
        LyingHeader{"SameNameTwice",
                    container(R"({"x":{"dtype":"U8","shape":[1],"data_offsets":[0,1]},)"
                              R"("x":{"dtype":"U8","shape":[1],"data_offsets":[0,1]}})",
                              1),
                    "the name x twice"},
        LyingHeader{"PastTheEnd",
                    one_tensor(R"({"dtype":"F32","shape":[2],"data_offsets":[0,8]})", 4),
                    "tensor x: expected data_offsets [begin, end] within 4 bytes, got [0,8]"},
        LyingHeader{"BeginAfterEnd",
                    one_tensor(R"({"dtype":"F32","shape":[1],"data_offsets":[4,0]})", 4),
                    "got [4,0]"},
        LyingHeader{"NegativeOffset",
                    one_tensor(R"({"dtype":"F32","shape":[1],"data_offsets":[-4,0]})", 4),
                    "whole numbers from 0 as data_offsets, got [-4,0]"},
        LyingHeader{"ShapeAgainstBytes",
                    one_tensor(R"({"dtype":"F32","shape":[2,3],"data_offsets":[0,4]})", 4),
                    "24 bytes for F32 [2,3], got 4"},
        LyingHeader{"ShapeOverflows",
                    one_tensor(R"({"dtype":"F32","shape":[4294967296,4294967296],)"
                               R"("data_offsets":[0,0]})",
                               0),
                    "too many bytes"},
        LyingHeader{"FractionalShape",
                    one_tensor(R"({"dtype":"F32","shape":[1.0],"data_offsets":[0,4]})", 4),
                    "whole numbers from 0 as shape"},
        LyingHeader{"UnknownType",
                    one_tensor(R"({"dtype":"C64","shape":[1],"data_offsets":[0,8]})", 8),
                    "got \"C64\""},
        LyingHeader{"NoShape", one_tensor(R"({"dtype":"F32","data_offsets":[0,4]})", 4),
                    "dtype, shape and data_offsets"},
        LyingHeader{"NumberForTensor", one_tensor("7", 0), "tensor x: expected dtype"},
        LyingHeader{"Overlap",
                    container(R"({"x":{"dtype":"U8","shape":[4],"data_offsets":[0,4]},)"
                              R"("y":{"dtype":"U8","shape":[4],"data_offsets":[2,6]}})",
                              6),
                    "tensor y: expected tensors one after the other, got an overlap"},
        LyingHeader{"Gap",
                    container(R"({"x":{"dtype":"U8","shape":[2],"data_offsets":[0,2]},)"
                              R"("y":{"dtype":"U8","shape":[2],"data_offsets":[4,6]}})",
                              6),
                    "tensor y: expected tensors one after the other, got a gap"},
        LyingHeader{"BytesLeftOver",
                    one_tensor(R"({"dtype":"U8","shape":[1],"data_offsets":[0,1]})", 9),
                    "8 bytes more"},
        LyingHeader{"MetadataNotString", container(R"({"__metadata__":{"step":1}})", 0),
                    "a string as metadata step"}),
    [](const auto& info) { return info.param.name; });

TEST(SafetensorsFile, MissingFileIsNamed) {
  EXPECT_THAT([] { SafetensorsFile file("no/such.safetensors"); },
              ThrowsMessage<Error>(HasSubstr("no/such.safetensors")));
}

}  // namespace
}  // namespace dualdepth
