#include "dualdepth/quantize/layer_comparison.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstring>

#include "dualdepth/base/atomic_file.h"
#include "dualdepth/base/error.h"
#include "testing/npy_bytes.h"
#include "testing/temp_folder.h"

namespace dualdepth::quantize {
namespace {

using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using testing::npy_bytes;
using ::testing::ThrowsMessage;

std::string floats(std::initializer_list<float> values) {
  std::string bytes(values.size() * sizeof(float), '\0');
  std::memcpy(bytes.data(), values.begin(), bytes.size());
  return bytes;
}

// Codes 10, 12, 14, 8 of scale 0.5 and zero point 10: 0, 1, 2, -1. Float values 0, 1, -1, 4.
class CompareLayers : public ::testing::Test {
 protected:
  CompareLayers() {
    folder_.write("golden/index.json", kIndex);
    folder_.write("golden/values/_conv_Conv.npy",
                  npy_bytes("|u1", "(1, 1, 2, 2)", "\x0a\x0c\x0e\x08"));
    folder_.write("golden/values/depth.npy",
                  npy_bytes("<f4", "(1, 1, 2, 2)", floats({0, 1, -1, 4})));
  }

  static constexpr const char* kIndex = R"({
    "format_version": 1, "model": "q.onnx", "pictures": 1, "input": null,
    "layers": [
      {"name": "/conv/Conv", "operator": "Conv", "file": "values/_conv_Conv.npy", "type": "uint8",
       "shape": [1, 1, 2, 2], "scale": 0.5, "zero_point": 10, "also": ["/conv/Relu"]},
      {"name": "depth", "operator": "Sigmoid", "file": "values/depth.npy", "type": "float32",
       "shape": [1, 1, 2, 2]}]})";

  void dump(const std::string& name, const std::string& bytes) {
    folder_.write("dump/" + name, bytes);
  }

  LayerComparison compare(double least = kLayerSqnr) const {
    return compare_layers(read_layer_dump(folder_ / "golden"), folder_ / "dump", least);
  }

  void expect_refused(const std::vector<std::string>& parts) const {
    for (const auto& part : parts) {
      EXPECT_THAT([&] { compare(); }, ThrowsMessage<Error>(HasSubstr(part)));
    }
  }

  testing::TempFolder folder_;
};

// NumPy: g = [0, 1, 2, -1], d = [0, 1, 1.5, -1]; 10 log10(6 / 0.25), 5 / sqrt(6 * 4.25).
TEST_F(CompareLayers, FloatValuesAreComparedWithTheGoldenCodes) {
  dump("_conv_Conv.npy", npy_bytes("<f4", "(1, 1, 2, 2)", floats({0, 1, 1.5, -1})));
  const auto comparison = compare(10);
  const auto& layer = comparison.layers.at(0);
  EXPECT_NEAR(layer.sqnr, 13.80211241711606, 1e-12);
  EXPECT_NEAR(layer.cosine, 0.9901475429766744, 1e-12);
  EXPECT_EQ(layer.worst_steps, 1);
  EXPECT_EQ(layer.equal, 0.75);
  EXPECT_FALSE(layer.departs);
  EXPECT_EQ(layer.operation, "Conv");
  EXPECT_TRUE(comparison.layers.at(1).is_missing);
  EXPECT_EQ(comparison.missing(), 1);
  EXPECT_EQ(comparison.first_departure(), nullptr);
  EXPECT_EQ(compare(14).first_departure()->name, "/conv/Conv");
}

// NumPy: 10 log10(18 / 0.25), 0.5 / (5 / 255).
TEST_F(CompareLayers, StepOfFloatValuesIsA255thOfTheirRange) {
  dump("depth.npy", npy_bytes("<f4", "(1, 1, 2, 2)", floats({0.5, 1, -1, 4})));
  const auto comparison = compare();
  const auto& layer = comparison.layers.at(1);
  EXPECT_NEAR(layer.sqnr, 18.573324964312686, 1e-9);
  EXPECT_NEAR(layer.worst_steps, 25.5, 1e-9);
  EXPECT_EQ(comparison.first_departure(), &layer);
}

TEST_F(CompareLayers, ValuesThatRoundToTheGoldenCodesAreEqualInCodes) {
  dump("_conv_Conv.npy", npy_bytes("<f4", "(1, 1, 2, 2)", floats({0.24, 0.76, 2.2, -1.1})));
  EXPECT_EQ(compare(0).layers.at(0).equal, 1);
}

// As codes 10, 12, 15, 8.
TEST_F(CompareLayers, IntegersAreCodesOfTheGoldenScale) {
  for (const auto& bytes :
       {npy_bytes("|u1", "(1, 1, 2, 2)", "\x0a\x0c\x0f\x08"),
        npy_bytes("<i2", "(1, 1, 2, 2)", std::string("\x0a\0\x0c\0\x0f\0\x08\0", 8))}) {
    dump("_conv_Conv.npy", bytes);
    const auto layer = compare().layers.at(0);
    EXPECT_NEAR(layer.sqnr, 13.80211241711606, 1e-12);
    EXPECT_EQ(layer.worst_steps, 1);
  }
}

TEST_F(CompareLayers, AlsoFoundByTheNameOfTheValueThatIsRounded) {
  dump("_conv_Relu.npy", npy_bytes("|u1", "(1, 1, 2, 2)", "\x0a\x0c\x0e\x08"));
  const auto comparison = compare();
  EXPECT_EQ(comparison.layers.at(0).sqnr, kEqualSqnr);
  EXPECT_EQ(comparison.layers.at(0).cosine, 1);
  EXPECT_TRUE(comparison.unknown.empty());
}

// int8 codes of zero point -118: the same values.
TEST_F(CompareLayers, IntegersOfADumpWithAnIndexAreCodesOfItsScale) {
  std::string index = kIndex;
  index.replace(index.find("\"uint8\""), 7, "\"int8\"");
  index.replace(index.find("\"zero_point\": 10"), 16, "\"zero_point\": -118");
  dump("index.json", index);
  dump("values/_conv_Conv.npy", npy_bytes("|i1", "(1, 1, 2, 2)", "\x8a\x8c\x8e\x88"));
  dump("values/depth.npy", npy_bytes("<f4", "(1, 1, 2, 2)", floats({0, 1, -1, 4})));
  for (const auto& layer : compare().layers) EXPECT_EQ(layer.sqnr, kEqualSqnr) << layer.name;
}

TEST_F(CompareLayers, NanDepartsThoughAllElseIsEqual) {
  dump("depth.npy", npy_bytes("<f4", "(1, 1, 2, 2)", floats({0, 1, -1, std::nanf("")})));
  const auto layer = compare().layers.at(1);
  EXPECT_EQ(layer.not_finite, 1);
  EXPECT_EQ(layer.equal, 0.75);
  EXPECT_TRUE(layer.departs);
}

TEST_F(CompareLayers, WhatIsNoGoldenLayerIsListed) {
  dump("depth.npy", npy_bytes("<f4", "(1, 1, 2, 2)", floats({0, 1, -1, 4})));
  dump("extra.npy", npy_bytes("<f4", "(1,)", floats({0})));
  EXPECT_THAT(compare().unknown, ElementsAre("extra.npy"));
}

TEST_F(CompareLayers, AnotherShapeIsRefused) {
  dump("depth.npy", npy_bytes("<f4", "(1, 2, 2, 1)", floats({0, 1, -1, 4})));
  expect_refused({"dump/depth.npy: expected [1, 1, 2, 2]", "got [1, 2, 2, 1]", "numpy.transpose"});
  dump("depth.npy", npy_bytes("<f4", "(2, 1, 2, 2)", floats({0, 1, -1, 4, 0, 1, -1, 4})));
  expect_refused({"got [2, 1, 2, 2]", "the same pictures"});
}

TEST_F(CompareLayers, SignedCodesOfAnUnsignedLayerAreRefused) {
  dump("_conv_Conv.npy", npy_bytes("|i1", "(1, 1, 2, 2)", "\x8a\x8c\x8e\x88"));
  expect_refused({"_conv_Conv.npy: expected uint8 codes or float32 values, got int8"});
}

TEST_F(CompareLayers, AFolderWithoutAnyGoldenLayerIsRefused) {
  expect_refused({"dump: expected a folder of dumped layers, got no such folder"});
  dump("conv.npy", npy_bytes("<f4", "(1,)", floats({0})));
  expect_refused({"such as _conv_Conv.npy", "got conv.npy"});
}

struct BadIndex {
  const char* name;
  const char* from;  // of the index, replaced
  const char* to;
  std::vector<std::string> complaints;
};

void PrintTo(const BadIndex& value, std::ostream* out) { *out << value.name; }

class RefusedIndex : public CompareLayers, public ::testing::WithParamInterface<BadIndex> {};

TEST_P(RefusedIndex, NamesTheEntryAndWhatWasFound) {
  const BadIndex& bad = GetParam();
  std::string index = kIndex;
  index.replace(index.find(bad.from), std::strlen(bad.from), bad.to);
  folder_.write("golden/index.json", index);
  for (const auto& part : bad.complaints) {
    EXPECT_THAT([&] { read_layer_dump(folder_ / "golden"); },
                ThrowsMessage<Error>(HasSubstr(part)));
  }
}

INSTANTIATE_TEST_SUITE_P(
    All, RefusedIndex,
    ::testing::Values(
        BadIndex{"Cut", "]}]}", "", {"index.json: expected JSON"}},
        BadIndex{
            "Version", "\"format_version\": 1", "\"format_version\": 7", {"expected 1, got 7"}},
        BadIndex{"NoLayers", "\"layers\"", "\"rows\"", {"the key layers"}},
        BadIndex{
            "NoPictures", "\"pictures\": 1", "\"pictures\": 0", {"pictures: expected at least 1"}},
        BadIndex{"FileOutside",
                 "values/depth.npy",
                 "../depth.npy",
                 {"layer 1: file: expected a file below the folder"}},
        BadIndex{"AbsoluteFile", "values/depth.npy", "/etc/passwd", {"below the folder"}},
        BadIndex{"AbsentFile", "values/depth.npy", "values/no.npy", {"values/no.npy"}},
        BadIndex{"OtherType",
                 "\"float32\"",
                 "\"float16\"",
                 {"depth.npy: expected float16 as the index says, got float32"}},
        BadIndex{"OtherShape", "[1, 1, 2, 2]}]", "[1, 1, 4, 1]}]", {"[1,1,4,1] as the index says"}},
        BadIndex{"ScaleOfZero",
                 "\"scale\": 0.5",
                 "\"scale\": 0",
                 {"layer 0: scale: expected a number above 0"}},
        BadIndex{"NoZeroPoint", "\"zero_point\": 10,", "", {"the key zero_point"}},
        BadIndex{
            "TwoOfOneName", "\"depth\"", "\"/conv/Conv\"", {"layer 1: expected a name of its own"}},
        BadIndex{"NestedLists", "\"q.onnx\"", "[[[[]]]]", {"model: expected text"}}),
    [](const auto& info) { return info.param.name; });

TEST_F(CompareLayers, GoldenFileThatWasCutIsRefused) {
  folder_.write("golden/values/depth.npy", npy_bytes("<f4", "(1, 1, 2, 2)", floats({0, 1})));
  EXPECT_THAT([&] { read_layer_dump(folder_ / "golden"); },
              ThrowsMessage<Error>(AllOf(HasSubstr("depth.npy"), HasSubstr("got 8"))));
}

}  // namespace
}  // namespace dualdepth::quantize
