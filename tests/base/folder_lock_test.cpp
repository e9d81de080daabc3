#include "dualdepth/base/folder_lock.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include "dualdepth/base/error.h"
#include "testing/temp_folder.h"

namespace dualdepth {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::ThrowsMessage;

TEST(FolderLock, ASecondOneIsRefusedUntilTheFirstEnds) {
  const testing::TempFolder folder;
  {
    const FolderLock first(folder.path());
    EXPECT_THAT([&] { FolderLock second(folder.path()); },
                ThrowsMessage<Error>(
                    AllOf(HasSubstr(folder.path().string()), HasSubstr("no other process works"))));
  }
  EXPECT_NO_THROW(FolderLock(folder.path()));
}

TEST(FolderLock, EndsWithAProcessThatIsKilled) {
  const testing::TempFolder folder;
  const pid_t child = ::fork();
  if (child == 0) {
    const FolderLock lock(folder.path());
    ::kill(::getpid(), SIGKILL);
  }
  ::waitpid(child, nullptr, 0);
  EXPECT_NO_THROW(FolderLock(folder.path()));
}

TEST(FolderLock, OfAFolderThatIsNotThereIsAnError) {
  const testing::TempFolder folder;
  EXPECT_THAT([&] { FolderLock lock(folder / "none"); },
              ThrowsMessage<Error>(HasSubstr((folder / "none").string())));
}

}  // namespace
}  // namespace dualdepth
