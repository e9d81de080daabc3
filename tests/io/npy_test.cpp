#include "dualdepth/io/npy.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <limits>

#include "dualdepth/base/atomic_file.h"
#include "dualdepth/base/error.h"
#include "testing/hex.h"
#include "testing/npy_bytes.h"
#include "testing/temp_folder.h"

namespace dualdepth {
namespace {

using ::testing::AllOf;
using testing::bytes_from_hex;
using ::testing::HasSubstr;
using testing::npy_bytes;
using testing::TempFolder;
using ::testing::ThrowsMessage;

constexpr float kNan = std::numeric_limits<float>::quiet_NaN();
const cv::Mat kArray = (cv::Mat_<float>(2, 3) << 1.5f, -2, kNan, 0, 3.25f, 1e30f);

// NumPy 2.4.6, np.save of float32 [[1.5, -2, nan], [0, 3.25, 1e30]].
std::string numpy_file() {
  const std::string header = "{'descr': '<f4', 'fortran_order': False, 'shape': (2, 3), }";
  return npy_bytes(header + std::string(117 - header.size(), ' ') + '\n',
                   bytes_from_hex("0000c03f000000c00000c07f0000000000005040caf24971"));
}

void expect_same(const cv::Mat& got, const cv::Mat& expected) {
  ASSERT_EQ(got.size(), expected.size());
  ASSERT_EQ(got.type(), CV_32FC1);
  for (int i = 0; i < static_cast<int>(expected.total()); ++i) {
    const float value = expected.ptr<float>()[i];
    if (std::isnan(value)) {
      EXPECT_TRUE(std::isnan(got.ptr<float>()[i]));
    } else {
      EXPECT_EQ(got.ptr<float>()[i], value);
    }
  }
}

TEST(WriteNpy, WritesTheSameBytesAsNumPy) {
  const TempFolder folder;
  write_npy(folder / "a.npy", kArray);
  EXPECT_EQ(read_file(folder / "a.npy"), numpy_file());
}

TEST(WriteNpy, WritesAPartOfALargerArray) {
  const TempFolder folder;
  cv::Mat large(4, 9, CV_32FC1, cv::Scalar(7));
  kArray.copyTo(large(cv::Rect(5, 1, 3, 2)));
  write_npy(folder / "a.npy", large(cv::Rect(5, 1, 3, 2)));
  EXPECT_EQ(read_file(folder / "a.npy"), numpy_file());
}

TEST(ReadNpy, ReadsWhatNumPyWrote) {
  const TempFolder folder;
  expect_same(read_npy(folder.write("a.npy", numpy_file())), kArray);
}

TEST(ReadNpy, ReadsFloat64AndDropsLeadingOnes) {
  const TempFolder folder;
  // The same array as np.float64 [1, 1, 2, 3].
  const std::string file = npy_bytes(
      "{'descr': '<f8', 'fortran_order': False, 'shape': (1, 1, 2, 3), }\n",
      bytes_from_hex("000000000000f83f00000000000000c0000000000000f87f0000000000000000000000000"
                     "0000a4000000040593e2946"));
  expect_same(read_npy(folder.write("a.npy", file)), kArray);
}

TEST(ReadNpy, MissingFileIsNamed) {
  EXPECT_THAT([] { read_npy("no/such.npy"); }, ThrowsMessage<Error>(HasSubstr("no/such.npy")));
}

struct BadNpy {
  const char* name;
  std::string file;
  const char* complaint;
};

void PrintTo(const BadNpy& value, std::ostream* out) { *out << value.name; }

class RefusedNpy : public ::testing::TestWithParam<BadNpy> {};

TEST_P(RefusedNpy, NamesTheFileAndWhatWasFound) {
  const TempFolder folder;
  const auto path = folder.write("bad.npy", GetParam().file);
  EXPECT_THAT([&] { read_npy(path); },
              ThrowsMessage<Error>(AllOf(HasSubstr(path.string() + ": expected "),
                                         HasSubstr(GetParam().complaint))));
}

std::string described(const std::string& descr, const std::string& order, const std::string& shape,
                      size_t bytes) {
  return npy_bytes(
      "{'descr': " + descr + ", 'fortran_order': " + order + ", 'shape': " + shape + ", }\n",
      std::string(bytes, '\0'));
}

INSTANTIATE_TEST_SUITE_P(
    All, RefusedNpy,
    ::testing::Values(
        BadNpy{"Empty", "", "an .npy array"}, BadNpy{"Text", "0.5 0.7", "an .npy array"},
        BadNpy{"MagicOnly", "\x93NUMPY", "an .npy array"},
        BadNpy{"HeaderPastTheEnd", std::string("\x93NUMPY\x01\x00\xff\xff{}", 12),
               "got 65535 bytes"},
        BadNpy{"LongHeaderPastTheEnd", std::string("\x93NUMPY\x02\x00\xff\xff\xff\xff{}", 14),
               "got 4294967295 bytes"},
        BadNpy{"NoShape", npy_bytes("{'descr': '<f4', 'fortran_order': False}\n", ""),
               "descr, fortran_order and shape"},
        BadNpy{"HalfPrecision", described("'<f2'", "False", "(1, 1)", 2),
               "float32 or float64, got float16"},
        BadNpy{"BigEndian", described("'>f4'", "False", "(1, 1)", 4), "got >f4"},
        BadNpy{"Structured", described("[('x', '<f4')]", "False", "(1, 1)", 4),
               "descr, fortran_order and shape"},
        BadNpy{"FortranOrder", described("'<f4'", "True", "(2, 2)", 16),
               "C order, got Fortran order"},
        BadNpy{"OneDimension", described("'<f4'", "False", "(4,)", 16), "[H, W], got [4]"},
        BadNpy{"Scalar", described("'<f4'", "False", "()", 4), "[H, W], got []"},
        BadNpy{"ThreeChannels", described("'<f4'", "False", "(3, 2, 2)", 48), "got [3, 2, 2]"},
        BadNpy{"NoRows", described("'<f4'", "False", "(0, 4)", 0), "got [0, 4]"},
        BadNpy{"NegativeSize", described("'<f4'", "False", "(-1, -4)", 16), "shape"},
        BadNpy{"HugeShape", described("'<f4'", "False", "(2147483647, 2147483647)", 16),
               "an array that fits into memory, got shape [2147483647, 2147483647]"},
        BadNpy{"LargeShape", described("'<f4'", "False", "(2147483647, 1073741823)", 16),
               "bytes for 2147483647x1073741823 values, got 16"},
        BadNpy{"SizeBeyond64Bits", described("'<f4'", "False", "(99999999999999999999, 1)", 16),
               "shape"},
        BadNpy{"Truncated", described("'<f4'", "False", "(2, 3)", 23),
               "24 bytes for 2x3 values, got 23"},
        BadNpy{"TooLong", described("'<f4'", "False", "(2, 3)", 25), "got 25"}),
    [](const auto& info) { return info.param.name; });

}  // namespace
}  // namespace dualdepth
