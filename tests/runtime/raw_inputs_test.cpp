#include "dualdepth/runtime/raw_inputs.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <torch/types.h>

#include <cstring>
#include <limits>

#include "dualdepth/base/atomic_file.h"
#include "dualdepth/base/error.h"
#include "dualdepth/io/npz.h"
#include "dualdepth/io/zip_file.h"
#include "testing/interop_python.h"
#include "testing/npy_bytes.h"
#include "testing/temp_folder.h"

namespace dualdepth {
namespace {

namespace fs = std::filesystem;
using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using testing::npy_bytes;
using ::testing::ThrowsMessage;

std::string floats(size_t count, float first, float step) {
  std::string bytes(count * sizeof(float), '\0');
  for (size_t i = 0; i < count; ++i) {
    const float value = first + step * static_cast<float>(i);
    std::memcpy(bytes.data() + i * sizeof(float), &value, sizeof(float));
  }
  return bytes;
}

// Two pictures of 2x3 pixels, 0 to 35/64.
std::string two_pictures() { return npy_bytes("<f4", "(2, 3, 2, 3)", floats(36, 0, 1.0F / 64)); }

class RawInputs : public ::testing::Test {
 protected:
  RawInputs() {
    input_.name = "image";
    input_.size = {2, 3};
  }

  void expect_refused(const fs::path& file, const std::vector<std::string>& parts) const {
    for (const auto& part : parts) {
      EXPECT_THAT([&] { open_raw_inputs(file, input_); },
                  ThrowsMessage<Error>(AllOf(HasSubstr(file.string()), HasSubstr(part))));
    }
  }

  testing::TempFolder folder_;
  InputContract input_;
};

TEST_F(RawInputs, NpyIsTakenAsItIs) {
  const auto pictures = open_raw_inputs(folder_.write("a.npy", two_pictures()), input_);
  ASSERT_EQ(pictures.count, 2);
  EXPECT_TRUE(pictures.at(0).equal(torch::arange(18).view({1, 3, 2, 3}) / 64.0F));
  EXPECT_TRUE(pictures.at(1).equal(torch::arange(18, 36).view({1, 3, 2, 3}) / 64.0F));
}

TEST_F(RawInputs, NumPysNpzStoredAndPacked) {
  DUALDEPTH_NEEDS_INTEROP();
  folder_.write("write.py", R"(
import sys, numpy as np
x = (np.arange(36, dtype=np.float32) / 64).reshape(2, 3, 2, 3)
np.savez(sys.argv[1], any_name=x)
np.savez_compressed(sys.argv[2], image=x, labels=np.arange(2))
)");
  const auto script = testing::run_program(
      testing::interop_python(), {folder_ / "write.py", folder_ / "a.npz", folder_ / "b.npz"});
  ASSERT_EQ(script.exit_code, 0) << script.errors;
  for (const char* name : {"a.npz", "b.npz"}) {
    const auto pictures = open_raw_inputs(folder_ / name, input_);
    ASSERT_EQ(pictures.count, 2) << name;
    EXPECT_TRUE(pictures.at(1).equal(torch::arange(18, 36).view({1, 3, 2, 3}) / 64.0F)) << name;
  }
}

TEST_F(RawInputs, BytesInInterleavedLayoutWhereTheContractTakesThem) {
  input_.type = InputType::kUint8;
  input_.layout = TensorLayout::kNhwc;
  const auto file = folder_.write("a.npy", npy_bytes("|u1", "(1, 2, 3, 3)", "abcdefghijklmnopqr"));
  const auto picture = open_raw_inputs(file, input_).at(0);
  EXPECT_EQ(picture.scalar_type(), torch::kUInt8);
  EXPECT_EQ(picture.index({0, 1, 0, 2}).item<int>(), 'l');
}

TEST_F(RawInputs, AnotherTypeOrShapeIsRefused) {
  const auto npy = [&](const char* descr, const char* shape, size_t bytes) {
    return folder_.write("a.npy", npy_bytes(descr, shape, std::string(bytes, '\0')));
  };
  const std::string expected = "expected float32 [N, 3, 2, 3]";
  expect_refused(npy("<f8", "(1, 3, 2, 3)", 144),
                 {expected, "got float64 [1, 3, 2, 3]", ".astype(numpy.float32)"});
  expect_refused(npy("<f4", "(1, 2, 3, 3)", 72), {expected, "got float32 [1, 2, 3, 3]"});
  expect_refused(npy("<f4", "(3, 2, 3)", 72), {expected, "got float32 [3, 2, 3]"});
  expect_refused(npy("<f4", "(0, 3, 2, 3)", 0), {expected, "got float32 [0, 3, 2, 3]"});
}

TEST_F(RawInputs, ACutFileIsRefused) {
  const std::string whole = two_pictures();
  for (const size_t size : {size_t{0}, size_t{5}, size_t{20}, whole.size() / 2, whole.size() - 1}) {
    expect_refused(folder_.write("a.npy", whole.substr(0, size)), {"expected"});
  }
  ZipWriter zip(folder_ / "a.npz");
  zip.add("image.npy", whole);
  zip.commit();
  const std::string packed = read_file(folder_ / "a.npz");
  for (const size_t size : {size_t{10}, packed.size() / 2, packed.size() - 1}) {
    expect_refused(folder_.write("cut.npz", packed.substr(0, size)), {"expected a zip file"});
  }
}

TEST_F(RawInputs, ArrayThatIsCutInsideItsZipIsRefused) {
  ZipWriter zip(folder_ / "a.npz");
  zip.add("image.npy", two_pictures().substr(0, 200));
  zip.commit();
  expect_refused(folder_ / "a.npz", {"image", "144 bytes for 2x3x2x3 values"});
}

TEST_F(RawInputs, ArraysOfOtherNamesAreListed) {
  ZipWriter zip(folder_ / "a.npz");
  zip.add("left.npy", two_pictures());
  zip.add("right.npy", two_pictures());
  zip.commit();
  expect_refused(folder_ / "a.npz", {"one array, or one named image", "got left, right"});
}

TEST_F(RawInputs, AZipWithoutArraysIsRefused) {
  ZipWriter zip(folder_ / "a.npz");
  zip.add("readme.txt", "text");
  zip.commit();
  expect_refused(folder_ / "a.npz", {"got none"});
}

// A small zip whose headers claim 2 GiB: as far as the reader looks, a compression bomb.
TEST_F(RawInputs, WhatUnpacksToMoreThanIsAllowedIsRefusedBeforeItIsUnpacked) {
  ZipWriter zip(folder_ / "a.npz");
  zip.add("image.npy", std::string(100000, '\0'));
  zip.commit();
  std::string bytes = read_file(folder_ / "a.npz");
  constexpr uint32_t kClaim = 0x7ffffff0;
  const size_t local = bytes.find("PK\x03\x04");
  const size_t central = bytes.find("PK\x01\x02");
  ASSERT_NE(central, std::string::npos);
  std::memcpy(bytes.data() + local + 22, &kClaim, sizeof(kClaim));
  std::memcpy(bytes.data() + central + 24, &kClaim, sizeof(kClaim));
  expect_refused(folder_.write("a.npz", bytes),
                 {"image.npy", "expected at most 1073807360 bytes, got 2147483632"});
}

TEST_F(RawInputs, NanNamesThePicture) {
  std::string bytes = two_pictures();
  const float nan = std::numeric_limits<float>::quiet_NaN();
  std::memcpy(bytes.data() + bytes.size() - sizeof(nan), &nan, sizeof(nan));
  const auto pictures = open_raw_inputs(folder_.write("a.npy", bytes), input_);
  EXPECT_TRUE(pictures.at(0).isfinite().all().item<bool>());
  EXPECT_THAT([&] { pictures.at(1); },
              ThrowsMessage<Error>(AllOf(HasSubstr("picture 1"), HasSubstr("NaN"))));
}

TEST(PictureList, PathsAreRelativeToTheList) {
  const testing::TempFolder folder;
  folder.write("pictures/a.png", "");
  folder.write("b c.png", "");
  const auto list = folder.write(
      "lists/all.txt",
      "# night\n../pictures/a.png\r\n\n  ../b c.png \n../pictures/../pictures/a.png\n");
  EXPECT_THAT(read_picture_list(list),
              ElementsAre(folder / "lists/../pictures/a.png", folder / "lists/../b c.png"));
}

TEST(PictureList, APictureThatIsNotThereIsNamedWithItsLine) {
  const testing::TempFolder folder;
  folder.write("a.png", "");
  const auto list = folder.write("all.txt", "a.png\nno.png\n");
  EXPECT_THAT(
      [&] { read_picture_list(list); },
      ThrowsMessage<Error>(AllOf(HasSubstr("all.txt:2: expected a picture"), HasSubstr("no.png"))));
}

TEST(PictureList, AnEmptyOneIsRefused) {
  const testing::TempFolder folder;
  const auto list = folder.write("all.txt", "# nothing\n");
  EXPECT_THAT([&] { read_picture_list(list); },
              ThrowsMessage<Error>(HasSubstr("all.txt: expected a list of pictures")));
}

}  // namespace
}  // namespace dualdepth
