#include "dualdepth/base/staged_folder.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>

#include "dualdepth/base/atomic_file.h"
#include "dualdepth/base/error.h"
#include "testing/folder_contents.h"
#include "testing/temp_folder.h"

namespace dualdepth {
namespace {

using ::testing::AllOf;
using testing::folder_contents;
using ::testing::HasSubstr;
using testing::TempFolder;
using ::testing::ThrowsMessage;
using Contents = std::map<std::string, std::string>;

TEST(StagedFolder, FilesAppearTogetherAtPublish) {
  const TempFolder folder;
  StagedFolder staged(folder / "set", "set.json", "set");
  write_file_atomically(staged.stage() / "a", "1");
  EXPECT_EQ(folder_contents(folder / "set"), (Contents{{".unfinished/a", "1"}}));
  staged.publish("{}");
  EXPECT_EQ(folder_contents(folder / "set"), (Contents{{"a", "1"}, {"set.json", "{}"}}));
}

TEST(StagedFolder, WithoutPublishTheEarlierSetStays) {
  const TempFolder folder;
  folder.write("set/set.json", "earlier");
  folder.write("set/values/old", "1");
  {
    const StagedFolder staged(folder / "set", "set.json", "set");
    write_file_atomically(staged.stage() / "a", "2");
  }
  EXPECT_EQ(folder_contents(folder / "set"),
            (Contents{{"set.json", "earlier"}, {"values/old", "1"}}));
}

TEST(StagedFolder, FoldersAreReplacedAsAWhole) {
  const TempFolder folder;
  folder.write("set/set.json", "earlier");
  folder.write("set/values/old", "1");
  StagedFolder staged(folder / "set", "set.json", "set");
  make_writable_folder(staged.stage() / "values");
  write_file_atomically(staged.stage() / "values/new", "2");
  staged.publish("later");
  EXPECT_EQ(folder_contents(folder / "set"),
            (Contents{{"set.json", "later"}, {"values/new", "2"}}));
}

TEST(StagedFolder, OtherFilesAreRefusedAndStay) {
  const TempFolder folder;
  folder.write("set/thesis.tex", "text");
  EXPECT_THAT([&] { StagedFolder(folder / "set", "set.json", "set of values"); },
              ThrowsMessage<Error>(
                  AllOf(HasSubstr("one with an earlier set of values"), HasSubstr("thesis.tex"))));
  EXPECT_EQ(folder_contents(folder / "set"), (Contents{{"thesis.tex", "text"}}));
}

}  // namespace
}  // namespace dualdepth
