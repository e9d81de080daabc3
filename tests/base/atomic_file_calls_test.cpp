#include <dlfcn.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <filesystem>
#include <string>
#include <vector>

#include "dualdepth/base/atomic_file.h"
#include "testing/temp_folder.h"

// What AtomicFile asks of the system, in which order: no test can cut the power. The three
// functions below stand before the C library's for this whole program, record their calls and pass
// them on.
namespace dualdepth {
namespace {

namespace fs = std::filesystem;
using ::testing::ElementsAre;
using testing::TempFolder;

std::vector<std::string> calls;
bool has_hard_links = true;

template <class Function>
Function* original(const char* name) {
  return reinterpret_cast<Function*>(::dlsym(RTLD_NEXT, name));
}

// "a", or "temporary" for the name that an AtomicFile writes to.
std::string short_name(const fs::path& path) {
  const std::string name = path.filename().string();
  return name.starts_with(".a.") ? "temporary" : name;
}

void record_sync(int descriptor) {
  const auto file = fs::read_symlink("/proc/self/fd/" + std::to_string(descriptor));
  calls.push_back("fsync " + (fs::is_directory(file) ? "folder" : short_name(file)));
}

void record_rename(const char* from, const char* to) {
  calls.push_back("rename " + short_name(from) + " to " + short_name(to));
}

}  // namespace
}  // namespace dualdepth

extern "C" int fsync(int descriptor) {
  dualdepth::record_sync(descriptor);
  return dualdepth::original<int(int)>("fsync")(descriptor);
}

extern "C" int rename(const char* from, const char* to) noexcept {
  dualdepth::record_rename(from, to);
  return dualdepth::original<int(const char*, const char*)>("rename")(from, to);
}

extern "C" int link(const char* from, const char* to) noexcept {
  if (!dualdepth::has_hard_links) {
    errno = EPERM;  // what FAT gives
    return -1;
  }
  return dualdepth::original<int(const char*, const char*)>("link")(from, to);
}

namespace dualdepth {
namespace {

class AtomicFileCalls : public ::testing::Test {
 protected:
  AtomicFileCalls() {
    calls.clear();
    has_hard_links = true;
  }
  ~AtomicFileCalls() override { has_hard_links = true; }

  void write(Durability durability) const {
    AtomicFile file(folder_ / "a", durability);
    file.write("new");
    file.commit();
  }

  const TempFolder folder_;
};

// The name may reach the disk only after the bytes, and commit() returns only after the name.
TEST_F(AtomicFileCalls, FlushedWaitsForTheBytesBeforeTheNameAndThenForTheName) {
  write(Durability::kFlushed);
  EXPECT_THAT(calls, ElementsAre("fsync temporary", "rename temporary to a", "fsync folder"));
}

TEST_F(AtomicFileCalls, BufferedWaitsForNothing) {
  write(Durability::kBuffered);
  EXPECT_THAT(calls, ElementsAre("rename temporary to a"));
}

TEST_F(AtomicFileCalls, AddNameMakesAHardLinkAndWaitsForTheName) {
  folder_.write("first", "contents");
  add_name_atomically(folder_ / "first", folder_ / "a");
  EXPECT_EQ(fs::hard_link_count(folder_ / "first"), 2u);
  EXPECT_THAT(calls, ElementsAre("rename temporary to a", "fsync folder"));
}

TEST_F(AtomicFileCalls, AddNameCopiesWhereTheFileSystemHasNoHardLinks) {
  has_hard_links = false;
  folder_.write("first", "contents");
  folder_.write("a", "old");
  add_name_atomically(folder_ / "first", folder_ / "a");
  EXPECT_EQ(read_file(folder_ / "a"), "contents");
  EXPECT_EQ(fs::hard_link_count(folder_ / "first"), 1u);
  EXPECT_THAT(calls, ElementsAre("fsync temporary", "rename temporary to a", "fsync folder"));
}

TEST_F(AtomicFileCalls, AddNameReplacesTheOldFileAndAcceptsANameThatItHasAlready) {
  folder_.write("first", "contents");
  folder_.write("a", "old");
  for (int time = 0; time < 2; ++time) {
    add_name_atomically(folder_ / "first", folder_ / "a");
    EXPECT_EQ(read_file(folder_ / "a"), "contents");
    EXPECT_EQ(fs::hard_link_count(folder_ / "first"), 2u);
  }
  const auto files = std::distance(fs::directory_iterator(folder_.path()), {});
  EXPECT_EQ(files, 2) << "a temporary name was left behind";
}

}  // namespace
}  // namespace dualdepth
