#include "dualdepth/io/npy_array.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "dualdepth/base/error.h"
#include "testing/hex.h"
#include "testing/interop_python.h"
#include "testing/npy_bytes.h"
#include "testing/temp_folder.h"

namespace dualdepth {
namespace {

using ::testing::AllOf;
using testing::bytes_from_hex;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using testing::npy_bytes;
using testing::TempFolder;
using ::testing::ThrowsMessage;

std::vector<double> values_of(const NpyFile& file) {
  std::vector<double> values(file.count());
  to_doubles(file.type(), file.data(), values);
  return values;
}

struct StoredNumbers {
  const char* name;
  const char* descr;
  NpyType type;
  const char* hex;  // of the numbers that struct.pack makes of them
  std::vector<double> values;
};

void PrintTo(const StoredNumbers& value, std::ostream* out) { *out << value.name; }

class NpyTypes : public ::testing::TestWithParam<StoredNumbers> {};

TEST_P(NpyTypes, AreReadAsTheirNumbers) {
  const auto& stored = GetParam();
  const TempFolder folder;
  const NpyFile array(
      folder.write("a.npy", npy_bytes(stored.descr, "(2,)", bytes_from_hex(stored.hex))));
  EXPECT_EQ(array.type(), stored.type);
  EXPECT_EQ(type_name(array.type()), stored.name);
  EXPECT_THAT(array.shape(), ElementsAre(2));
  EXPECT_EQ(values_of(array), stored.values);
}

INSTANTIATE_TEST_SUITE_P(
    All, NpyTypes,
    ::testing::Values(
        StoredNumbers{"int8", "|i1", NpyType::kInt8, "807f", {-128, 127}},
        StoredNumbers{"uint8", "|u1", NpyType::kUint8, "80ff", {128, 255}},
        StoredNumbers{"int16", "<i2", NpyType::kInt16, "0080ff7f", {-32768, 32767}},
        StoredNumbers{"uint16", "<u2", NpyType::kUint16, "0080ffff", {32768, 65535}},
        StoredNumbers{"int32", "<i4", NpyType::kInt32, "feffffff00000100", {-2, 65536}},
        StoredNumbers{"uint32", "<u4", NpyType::kUint32, "feffffff00000100", {4294967294, 65536}},
        StoredNumbers{
            "int64", "<i8", NpyType::kInt64, "feffffffffffffff0000000001000000", {-2, 4294967296}},
        StoredNumbers{
            "uint64", "<u8", NpyType::kUint64, "05000000000000000000000001000000", {5, 4294967296}},
        StoredNumbers{"float16", "<f2", NpyType::kFloat16, "003e00c0", {1.5, -2}},
        StoredNumbers{"float32", "<f4", NpyType::kFloat32, "0000c03f000000c0", {1.5, -2}},
        StoredNumbers{
            "float64", "<f8", NpyType::kFloat64, "000000000000f83f00000000000000c0", {1.5, -2}}),
    [](const auto& info) { return info.param.name; });

TEST(NpyHeader, NumPyReadsWhatIsWritten) {
  DUALDEPTH_NEEDS_INTEROP();
  const TempFolder folder;
  const std::vector<int64_t> shape{2, 1, 3};
  folder.write("codes.npy", npy_header(NpyType::kInt8, shape) + "\x80\x01\x02\x03\x04\x7f");
  folder.write("row.npy", npy_header(NpyType::kInt64, std::vector<int64_t>{1}) +
                              bytes_from_hex("feffffffffffffff"));
  folder.write("read.py", R"(
import sys, numpy as np
for name in sys.argv[1:]:
    array = np.load(name)
    print(array.dtype, array.shape, array.ravel().tolist())
)");
  const auto script = testing::run_program(
      testing::interop_python(), {folder / "read.py", folder / "codes.npy", folder / "row.npy"});
  ASSERT_EQ(script.exit_code, 0) << script.errors;
  EXPECT_EQ(script.output, "int8 (2, 1, 3) [-128, 1, 2, 3, 4, 127]\nint64 (1,) [-2]\n");
}

TEST(NpyHeader, ArrayOfOneDimensionMayBeInFortranOrder) {
  const auto header = parse_npy_header(
      npy_bytes("{'descr': '<f4', 'fortran_order': True, 'shape': (3,), }", ""), "a.npy");
  EXPECT_THAT(header.shape, ElementsAre(3));
  EXPECT_EQ(header.data_bytes(), 12);
}

TEST(NpyHeader, BytesBeyond63BitsAreRefused) {
  const auto parse = [](const std::string& shape) {
    return parse_npy_header(npy_bytes("<f8", shape, ""), "a.npy");
  };
  EXPECT_THAT(
      [&] { parse("(4294967296, 268435456)"); },
      ThrowsMessage<Error>(AllOf(HasSubstr("a.npy: expected an array that fits into memory"),
                                 HasSubstr("[4294967296, 268435456]"))));
  EXPECT_EQ(parse("(4294967296, 134217728)").data_bytes(), uint64_t{1} << 62);
  EXPECT_EQ(parse("(4294967296, 4294967296, 0)").data_bytes(), 0);
}

TEST(NpyFile, LengthThatIsNotTheHeadersIsRefused) {
  const TempFolder folder;
  const auto file = folder.write("a.npy", npy_bytes("|u1", "(1, 2, 2)", "\x01\x02\x03"));
  EXPECT_THAT([&] { NpyFile array(file); },
              ThrowsMessage<Error>(
                  AllOf(HasSubstr(file.string()), HasSubstr("4 bytes for 1x2x2 values, got 3"))));
}

TEST(NpyFile, BooleansAreNoNumbers) {
  const TempFolder folder;
  const auto file = folder.write("a.npy", npy_bytes("|b1", "(1,)", "\x01"));
  EXPECT_THAT([&] { NpyFile array(file); },
              ThrowsMessage<Error>(AllOf(HasSubstr("int8 to float64"), HasSubstr("got |b1"))));
}

}  // namespace
}  // namespace dualdepth
