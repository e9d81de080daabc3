#include "dualdepth/base/atomic_file.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <vector>

#include "dualdepth/base/error.h"
#include "testing/file_size_limit.h"
#include "testing/temp_folder.h"

namespace dualdepth {
namespace {

using ::testing::AllOf;
using testing::FileSizeLimit;
using ::testing::HasSubstr;
using testing::TempFolder;
using ::testing::ThrowsMessage;

namespace fs = std::filesystem;

size_t count_files(const fs::path& folder) {
  return static_cast<size_t>(
      std::distance(fs::directory_iterator(folder), fs::directory_iterator()));
}

TEST(AtomicFile, AppearsOnlyWithCommit) {
  const TempFolder folder;
  AtomicFile file(folder / "a");
  file.write("one ");
  file.write("two");
  EXPECT_FALSE(fs::exists(folder / "a"));
  file.commit();
  EXPECT_EQ(read_file(folder / "a"), "one two");
  EXPECT_EQ(count_files(folder.path()), 1u);
}

TEST(AtomicFile, ReplacesTheOldFileWhole) {
  const TempFolder folder;
  folder.write("a", "a long old text");
  for (const Durability durability : {Durability::kFlushed, Durability::kBuffered}) {
    AtomicFile file(folder / "a", durability);
    file.write("new");
    file.commit();
    EXPECT_EQ(read_file(folder / "a"), "new");
  }
}

TEST(AtomicFile, WithoutCommitTheOldFileStays) {
  const TempFolder folder;
  folder.write("a", "old");
  {
    AtomicFile file(folder / "a");
    file.write("new");
  }
  EXPECT_EQ(read_file(folder / "a"), "old");
  EXPECT_EQ(count_files(folder.path()), 1u);
}

TEST(AtomicFile, IsReadBeforeItAppearsUnderANameOfItsExtension) {
  const TempFolder folder;
  AtomicFile file(folder / "a.onnx");
  file.write("new");
  file.check([&](const fs::path& written) {
    EXPECT_EQ(read_file(written), "new");
    EXPECT_EQ(written.extension(), ".onnx");
    EXPECT_NE(written, folder / "a.onnx");
  });
  EXPECT_FALSE(fs::exists(folder / "a.onnx"));
}

TEST(AtomicFile, AFailedCheckNamesTheFileThatWasAskedFor) {
  const TempFolder folder;
  const std::string asked = (folder / "a.onnx").string();
  AtomicFile file(asked);
  const auto check = [&] {
    file.check([](const fs::path& written) {
      throw Error({.subject = written.string(),
                   .expected = "a sound file",
                   .got = "a node in " + written.string(),
                   .fix = ""});
    });
  };
  EXPECT_THAT(check,
              ThrowsMessage<Error>(asked + ": expected a sound file, got a node in " + asked));
}

TEST(AtomicFile, HasThePermissionsThatTheUserAsksForByUmask) {
  const TempFolder folder;
  const mode_t before = ::umask(027);
  write_file_atomically(folder / "a", "x");
  ::umask(before);
  EXPECT_EQ(fs::status(folder / "a").permissions(), static_cast<fs::perms>(0640));
}

TEST(AtomicFile, WritesIntoTheWorkingDirectory) {
  const TempFolder folder;
  const fs::path before = fs::current_path();
  fs::current_path(folder.path());
  write_file_atomically("a", "x");
  fs::current_path(before);
  EXPECT_EQ(read_file(folder / "a"), "x");
}

TEST(AtomicFile, LimitReachedWhileWritingLeavesTheOldFileWhole) {
  const TempFolder folder;
  folder.write("a", "old");
  {
    const FileSizeLimit limit(1000);
    EXPECT_THAT([&] { write_file_atomically(folder / "a", std::string(2000, 'x')); },
                ThrowsMessage<Error>(
                    AllOf(HasSubstr((folder / "a").string()), HasSubstr("File too large"))));
  }
  EXPECT_EQ(read_file(folder / "a"), "old");
  EXPECT_EQ(count_files(folder.path()), 1u);
}

// A disk of 64 KiB over a folder; only root can mount one.
class SmallDisk {
 public:
  explicit SmallDisk(const fs::path& folder)
      : folder_(folder), mounted_(::mount("tmpfs", folder.c_str(), "tmpfs", 0, "size=64k") == 0) {}
  ~SmallDisk() {
    if (mounted_) ::umount(folder_.c_str());
  }
  SmallDisk(const SmallDisk&) = delete;
  SmallDisk& operator=(const SmallDisk&) = delete;

  bool is_mounted() const { return mounted_; }

 private:
  const fs::path folder_;
  const bool mounted_;
};

TEST(AtomicFile, FullDiskLeavesTheOldFileWhole) {
  const TempFolder folder;
  const SmallDisk disk(folder.path());
  if (!disk.is_mounted()) GTEST_SKIP() << "only root can mount a small disk";
  folder.write("a", "old");
  EXPECT_THAT([&] { write_file_atomically(folder / "a", std::string(100000, 'x')); },
              ThrowsMessage<Error>(AllOf(HasSubstr((folder / "a").string()),
                                         HasSubstr("No space left on device"),
                                         HasSubstr("what stood there before is unchanged"))));
  EXPECT_EQ(read_file(folder / "a"), "old");
  EXPECT_EQ(count_files(folder.path()), 1u);
}

TEST(AtomicFile, MissingFolderIsAnErrorThatNamesTheFile) {
  const TempFolder folder;
  EXPECT_THAT([&] { AtomicFile file(folder / "none/a"); },
              ThrowsMessage<Error>(AllOf(HasSubstr((folder / "none/a").string()),
                                         HasSubstr("No such file or directory"))));
}

TEST(AtomicFile, FolderInItsPlaceIsAnError) {
  const TempFolder folder;
  fs::create_directory(folder / "a");
  EXPECT_THAT([&] { write_file_atomically(folder / "a", "x"); },
              ThrowsMessage<Error>(HasSubstr("Is a directory")));
}

// Starts a process that has written half of folder/a and waits; then kills it.
void kill_while_writing(const TempFolder& folder) {
  int ready[2];
  ASSERT_EQ(::pipe(ready), 0);
  const pid_t child = ::fork();
  if (child == 0) {
    AtomicFile file(folder / "a");
    file.write("half");
    if (::write(ready[1], "!", 1) == 1) ::pause();
    ::_exit(1);
  }
  char byte = 0;
  ASSERT_EQ(::read(ready[0], &byte, 1), 1);
  ::close(ready[0]);
  ::close(ready[1]);
  ::kill(child, SIGKILL);
  ::waitpid(child, nullptr, 0);
}

TEST(RemoveAbandonedFiles, RemovesWhatAKilledProcessLeft) {
  const TempFolder folder;
  folder.write("a", "old");
  kill_while_writing(folder);
  EXPECT_EQ(read_file(folder / "a"), "old");
  ASSERT_EQ(count_files(folder.path()), 2u);
  remove_abandoned_files(folder.path());
  EXPECT_EQ(count_files(folder.path()), 1u);
  EXPECT_EQ(read_file(folder / "a"), "old");
}

TEST(RemoveAbandonedFiles, LeavesAFileThatIsBeingWritten) {
  const TempFolder folder;
  folder.write(".hidden", "mine");
  AtomicFile file(folder / "a");
  file.write("new");
  remove_abandoned_files(folder.path());
  file.commit();
  EXPECT_EQ(read_file(folder / "a"), "new");
  EXPECT_EQ(read_file(folder / ".hidden"), "mine");
}

TEST(RemoveAbandonedFiles, FolderThatDoesNotExistHasNone) {
  const TempFolder folder;
  EXPECT_NO_THROW(remove_abandoned_files(folder / "none"));
}

TEST(MakeWritableFolder, MakesParentsAndAcceptsWhatIsThere) {
  const TempFolder folder;
  make_writable_folder(folder / "a/b");
  EXPECT_TRUE(fs::is_directory(folder / "a/b"));
  EXPECT_NO_THROW(make_writable_folder(folder / "a/b"));
}

TEST(MakeWritableFolder, FileOfThatNameIsAnError) {
  const TempFolder folder;
  folder.write("a", "x");
  EXPECT_THAT([&] { make_writable_folder(folder / "a"); },
              ThrowsMessage<Error>(HasSubstr((folder / "a").string())));
  EXPECT_THAT([&] { make_writable_folder(folder / "a/b"); },
              ThrowsMessage<Error>(HasSubstr((folder / "a/b").string())));
}

// Ends the process with 2 and the message, as the program does. Root may write anywhere, so it
// becomes another user first.
[[noreturn]] void make_folder_as_ordinary_user(const fs::path& folder) {
  constexpr uid_t kNobody = 65534;
  if (::geteuid() == 0 && ::setresuid(kNobody, kNobody, kNobody) != 0) ::_exit(3);
  try {
    make_writable_folder(folder);
  } catch (const Error& error) {
    const std::string message = error.what();
    if (::write(STDERR_FILENO, message.data(), message.size()) > 0) ::_exit(2);
  }
  ::_exit(0);
}

TEST(MakeWritableFolderDeathTest, FolderWithoutWritePermissionIsAnError) {
  const TempFolder folder;
  fs::create_directory(folder / "locked");
  fs::permissions(folder.path(), static_cast<fs::perms>(0755));
  fs::permissions(folder / "locked", static_cast<fs::perms>(0555));
  EXPECT_EXIT(make_folder_as_ordinary_user(folder / "locked"), ::testing::ExitedWithCode(2),
              "locked: expected a folder to write to, got no permission");
  EXPECT_EXIT(make_folder_as_ordinary_user(folder / "locked/run"), ::testing::ExitedWithCode(2),
              "locked/run: expected a folder to write to, got Permission denied");
}

TEST(ReadFile, GivesTheBytesAsTheyAre) {
  const TempFolder folder;
  const std::string bytes("\0\r\n\xff", 4);
  EXPECT_EQ(read_file(folder.write("a", bytes)), bytes);
  EXPECT_EQ(read_file(folder.write("empty", "")), "");
}

TEST(ReadFile, MissingFileAndFolderAreErrors) {
  const TempFolder folder;
  EXPECT_THAT([&] { read_file(folder / "none"); },
              ThrowsMessage<Error>(AllOf(HasSubstr((folder / "none").string()),
                                         HasSubstr("No such file or directory"))));
  EXPECT_THAT([&] { read_file(folder.path()); }, ThrowsMessage<Error>(HasSubstr("got a folder")));
}

TEST(ReadFile, LongerThanAllowedIsAnErrorThatSaysBothLengths) {
  const TempFolder folder;
  const fs::path file = folder.write("a", "12345");
  EXPECT_EQ(read_file(file, 5), "12345");
  EXPECT_THAT([&] { read_file(file, 4); },
              ThrowsMessage<Error>(HasSubstr("expected at most 4 bytes, got 5")));
}

}  // namespace
}  // namespace dualdepth
