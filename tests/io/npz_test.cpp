#include "dualdepth/io/npz.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "dualdepth/base/atomic_file.h"
#include "dualdepth/base/error.h"
#include "dualdepth/io/zip_file.h"
#include "testing/interop_python.h"

namespace dualdepth {
namespace {

using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using testing::TempFolder;
using ::testing::ThrowsMessage;

const cv::Mat kDepth = (cv::Mat_<float>(2, 3) << 1.5f, -2, 0, 0.25f, 3, 80);
const cv::Mat kLevels = (cv::Mat_<ushort>(2, 3) << 0, 1, 255, 7, 300, 65535);

TEST(Npz, NumPyReadsWhatIsWrittenAndIsReadInTurn) {
  DUALDEPTH_NEEDS_INTEROP();
  const TempFolder folder;
  write_npz(folder / "heads.npz", {{"level", kLevels}, {"fraction", kDepth}});
  folder.write("read.py", R"(
import sys, numpy as np
file = np.load(sys.argv[1])
print(sorted(file.files), *(f"{file[n].dtype} {file[n].shape} {file[n].ravel().tolist()}" for n in sorted(file.files)))
np.savez(sys.argv[2], depth=file["fraction"].astype(np.float64), other=np.arange(3))
np.savez_compressed(sys.argv[3], depth=file["fraction"][0])
)");
  const auto script = testing::run_program(
      testing::interop_python(),
      {folder / "read.py", folder / "heads.npz", folder / "plain.npz", folder / "packed.npz"});
  ASSERT_EQ(script.exit_code, 0) << script.errors;
  EXPECT_EQ(script.output,
            "['fraction', 'level'] float32 (1, 1, 2, 3) [1.5, -2.0, 0.0, 0.25, 3.0, 80.0] "
            "uint16 (1, 1, 2, 3) [0, 1, 255, 7, 300, 65535]\n");
  EXPECT_THAT(npz_names(folder / "plain.npz"), ElementsAre("depth", "other"));
  EXPECT_EQ(cv::norm(read_npz(folder / "plain.npz", "depth"), kDepth, cv::NORM_INF), 0);
  EXPECT_EQ(cv::norm(read_npz(folder / "packed.npz", "depth"), kDepth, cv::NORM_INF), 0);
}

TEST(Npz, NameThatIsNotThereIsAnErrorWithThoseThatAre) {
  const TempFolder folder;
  write_npz(folder / "a.npz", {{"fraction", kDepth}, {"other", kDepth}});
  EXPECT_THAT([&] { read_npz(folder / "a.npz", "depth"); },
              ThrowsMessage<Error>(AllOf(HasSubstr("a.npz: expected an array named depth"),
                                         HasSubstr("got fraction, other"))));
}

TEST(Npz, ShapeThatIsNoImageIsRefused) {
  const TempFolder folder;
  ZipWriter zip(folder / "a.npz");
  const std::string header = "{'descr': '<f4', 'fortran_order': False, 'shape': (3,), }\n";
  zip.add("depth.npy", std::string("\x93NUMPY\x01\x00", 8) + static_cast<char>(header.size()) +
                           std::string(1, '\0') + header + std::string(12, '\0'));
  zip.commit();
  EXPECT_THAT([&] { read_npz(folder / "a.npz", "depth"); },
              ThrowsMessage<Error>(AllOf(HasSubstr("a.npz: depth: expected an array [H, W]"),
                                         HasSubstr("got [3]"))));
}

TEST(Npz, TruncatedOrForeignFileIsRefused) {
  const TempFolder folder;
  write_npz(folder / "a.npz", {{"depth", kDepth}});
  const std::string whole = read_file(folder / "a.npz");
  for (const size_t size : {size_t{0}, size_t{10}, whole.size() / 2, whole.size() - 1}) {
    folder.write("cut.npz", whole.substr(0, size));
    EXPECT_THAT([&] { read_npz(folder / "cut.npz", "depth"); },
                ThrowsMessage<Error>(HasSubstr("cut.npz: expected a zip file")))
        << size;
  }
  EXPECT_THAT([&] { read_npz(folder / "none.npz", "depth"); },
              ThrowsMessage<Error>(HasSubstr("none.npz")));
}

TEST(Npz, DamagedBytesAreToldByTheirChecksum) {
  const TempFolder folder;
  write_npz(folder / "a.npz", {{"depth", kDepth}});
  std::string bytes = read_file(folder / "a.npz");
  bytes[60] ^= 0x55;  // inside the packed array
  folder.write("a.npz", bytes);
  EXPECT_THAT([&] { read_npz(folder / "a.npz", "depth"); },
              ThrowsMessage<Error>(HasSubstr("a.npz: depth.npy")));
}

TEST(ZipReader, EntryLargerThanAllowedIsRefusedBeforeItIsUnpacked) {
  const TempFolder folder;
  ZipWriter zip(folder / "bomb.zip");
  zip.add("zeros", std::string(1 << 20, '\0'));
  zip.commit();
  EXPECT_THAT([&] { ZipReader(folder / "bomb.zip").read("zeros", 1 << 16); },
              ThrowsMessage<Error>(AllOf(HasSubstr("at most 65536 bytes"), HasSubstr("1048576"))));
}

TEST(ZipWriter, EarlierFileStaysUntilCommit) {
  const TempFolder folder;
  folder.write("a.zip", "earlier");
  {
    ZipWriter zip(folder / "a.zip");
    zip.add("entry", "text");
  }
  EXPECT_EQ(read_file(folder / "a.zip"), "earlier");
  EXPECT_THAT(
      [&] {
        ZipWriter zip(folder / "no/a.zip");
        zip.add("entry", "text");
        zip.commit();
      },
      ThrowsMessage<Error>(HasSubstr("no/a.zip")));
}

}  // namespace
}  // namespace dualdepth
