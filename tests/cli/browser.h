#pragma once

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include "dualdepth/base/atomic_file.h"
#include "dualdepth/io/image.h"
#include "testing/program.h"

// HTML pages that the program writes, opened in a real browser without a screen.
namespace dualdepth {

// Put into the head of a page: tells the page around it what is wrong with it.
inline constexpr std::string_view kCheck = R"(<script>
const faults = [];
addEventListener('error', e => faults.push('error ' + e.message));
console.error = (...words) => faults.push('console ' + words.join(' '));
addEventListener('load', async () => {
  const sources = [...document.images].map(i => i.src)
      .concat([...document.querySelectorAll('svg image')].map(i => i.href.baseVal));
  for (const source of sources) {
    const picture = new Image();
    const opened = new Promise(done => { picture.onload = picture.onerror = done; });
    picture.src = source;
    await opened;
    if (!(picture.naturalWidth > 0)) faults.push('picture without pixels');
  }
  for (const svg of document.querySelectorAll('svg')) {
    if (!(svg.getBoundingClientRect().width > 100)) faults.push('plot without width');
  }
  const width = document.documentElement.scrollWidth;
  if (width > innerWidth) faults.push('is ' + width + ' wide on a screen of ' + innerWidth);
  parent.postMessage('checked ' + sources.length + ' pictures and '
      + document.querySelectorAll('svg').length + ' plots: ' + (faults.join('; ') || 'fine'), '*');
});
</script>)";

// A page on a screen of this width.
struct Screen {
  std::filesystem::path page;
  int width;
};

// Shows the screens side by side and takes what their checks say as title, in their order.
inline std::string frame_around(const std::vector<Screen>& screens) {
  std::string html =
      "<!doctype html><title>nothing heard</title>"
      "<body style=\"margin:0;white-space:nowrap\"><script>const heard = [];"
      "addEventListener('message', e => {"
      "heard[[...document.querySelectorAll('iframe')].findIndex(f => f.contentWindow == e.source)]"
      " = e.data; document.title = [...heard].map(h => h || 'nothing heard').join(' | '); });"
      "</script>";
  for (const Screen& screen : screens) {
    html +=
        fmt::format("<iframe src=\"{}\" width=\"{}\" height=\"2400\" style=\"border:0\"></iframe>",
                    screen.page.string(), screen.width);
  }
  return html;
}

// Starting the browser is what takes the time, so that it shows several screens at once.
class Browser : public ::testing::Test {
 protected:
  static constexpr const char* kNoBrowser =
      "needs Debian's chromium; tools/setup --interop installs it";
  static bool has_browser() { return !testing::build_path("chromium").empty(); }

  void SetUp() override {
    if (!has_browser()) GTEST_SKIP() << kNoBrowser;
  }

  // Writes the page with the check in its head.
  std::filesystem::path checked(const std::string& name, const std::string& html) const {
    const size_t head = html.find("<head>") + 6;
    return folder_.write(name + ".html",
                         html.substr(0, head) + std::string(kCheck) + html.substr(head));
  }

  // What the checks say of the pages.
  std::string check(const std::vector<Screen>& screens) const {
    const auto result = start(screens, {"--window-size=2000,2400", "--dump-dom"});
    const size_t title = result.output.find("<title>");
    if (title == std::string::npos) return "no page: " + result.errors;
    return result.output.substr(title + 7, result.output.find("</title>") - title - 7);
  }

  // Keeps a picture of the screens below the build folder.
  void keep_screenshot(const std::vector<Screen>& screens, const std::string& name) const {
    int width = 0;
    for (const Screen& screen : screens) width += screen.width;
    std::filesystem::create_directories(testing::build_path("screenshots"));
    const std::filesystem::path picture =
        std::filesystem::path(testing::build_path("screenshots")) / (name + ".png");
    std::filesystem::remove(picture);
    start(screens,
          {fmt::format("--window-size={},2400", width), "--screenshot=" + picture.string()});
    EXPECT_GE(read_image_size(picture).width, width) << picture;
  }

  // On a telephone and on a desk.
  void expect_fine(const std::string& name, const std::filesystem::path& page,
                   const std::string& count) const {
    const std::filesystem::path with_check = checked(name, read_file(page));
    const std::string fine = "checked " + count + ": fine";
    EXPECT_EQ(check({{with_check, 390}, {with_check, 1280}}), fine + " | " + fine) << name;
    keep_screenshot({{page, 390}, {page, 1280}}, name);
  }

 private:
  testing::ProgramResult start(const std::vector<Screen>& screens,
                               const std::vector<std::string>& options) const {
    std::vector<std::string> words{"--headless",
                                   "--no-sandbox",
                                   "--disable-gpu",
                                   "--hide-scrollbars",
                                   "--user-data-dir=" + (folder_ / "browser").string(),
                                   "--virtual-time-budget=10000"};
    words.insert(words.end(), options.begin(), options.end());
    words.push_back("file://" + folder_.write("frame.html", frame_around(screens)).string());
    return testing::run_program(testing::build_path("chromium"), words);
  }

  const testing::TempFolder folder_;
};

}  // namespace dualdepth
