// The HTML pages that the program writes, opened in a real browser without a screen.
#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "dualdepth/base/atomic_file.h"
#include "testing/kitti_tree.h"
#include "testing/program.h"

namespace dualdepth {
namespace {

namespace fs = std::filesystem;
using ::testing::HasSubstr;
using ::testing::MatchesRegex;

// Put into the head of a page: tells the page around it what is wrong with it.
constexpr std::string_view kCheck = R"(<script>
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

// Shows a page in a screen of this width and takes its message as title.
std::string frame_around(const fs::path& page, int width) {
  return fmt::format(
      "<!doctype html><title>nothing heard</title><body style=\"margin:0\"><script>"
      "addEventListener('message', e => document.title = e.data);</script>"
      "<iframe src=\"{}\" width=\"{}\" height=\"2400\" style=\"border:0\"></iframe>",
      page.string(), width);
}

class ReportPages : public ::testing::Test {
 protected:
  void SetUp() override {
    if (testing::build_path("chromium").empty()) {
      GTEST_SKIP() << "needs Debian's chromium; tools/setup --interop installs it";
    }
    tree_.add_frames(4);
    tree_.folder().write("run.yaml", "output_dir: " + path("run") +
                                         "\nthreads: 1\ndata:\n  root: " + tree_.root().string() +
                                         "\n  train_split: " + path("train.txt") +
                                         "\n  val_split: " + path("train.txt") +
                                         "\n  image_shape: [32, 64]\n  batch_size: 2\n"
                                         "trainer: {max_steps: 4, log_every: 1}\n"
                                         "evaluation: {protocol: benchmark}\n");
    run({"train", path("run.yaml")});
  }

  std::string path(const std::string& name) const { return (tree_.root() / name).string(); }

  void run(const std::vector<std::string>& words) const {
    const auto result = testing::run_program(testing::program(), words);
    ASSERT_EQ(result.exit_code, 0) << result.errors;
  }

  std::vector<std::string> browser(const std::vector<std::string>& words) const {
    std::vector<std::string> all{"--headless",
                                 "--no-sandbox",
                                 "--disable-gpu",
                                 "--hide-scrollbars",
                                 "--user-data-dir=" + path("browser"),
                                 "--virtual-time-budget=10000"};
    all.insert(all.end(), words.begin(), words.end());
    return all;
  }

  // What the page's check says of it on a screen of this width.
  std::string check(const std::string& html, int width) const {
    const size_t head = html.find("<head>") + 6;
    const fs::path page = tree_.folder().write(
        "checked.html", html.substr(0, head) + std::string(kCheck) + html.substr(head));
    const fs::path frame = tree_.folder().write("frame.html", frame_around(page, width));
    const auto result = testing::run_program(
        testing::build_path("chromium"),
        browser({"--window-size=1300,2400", "--dump-dom", "file://" + frame.string()}));
    const size_t title = result.output.find("<title>");
    if (title == std::string::npos) return "no page: " + result.errors;
    return result.output.substr(title + 7, result.output.find("</title>") - title - 7);
  }

  // Keeps a picture of the page on a screen of this width below the build folder.
  void keep_screenshot(const fs::path& page, const std::string& name, int width) const {
    const fs::path frame = tree_.folder().write("frame.html", frame_around(page, width));
    fs::create_directories(testing::build_path("screenshots"));
    const fs::path picture = fs::path(testing::build_path("screenshots")) / (name + ".png");
    fs::remove(picture);
    testing::run_program(testing::build_path("chromium"),
                         browser({fmt::format("--window-size={},2400", std::max(width, 500)),
                                  "--screenshot=" + picture.string(), "file://" + frame.string()}));
    EXPECT_GT(read_image_size(picture).width, 300) << picture;
  }

  void expect_fine(const std::string& name, const fs::path& page, const std::string& count) const {
    const std::string html = read_file(page);
    for (const int width : {390, 1280}) {
      EXPECT_EQ(check(html, width), "checked " + count + ": fine") << name << " at " << width;
      keep_screenshot(page, fmt::format("{}_{}", name, width), width);
    }
  }

  testing::KittiTree tree_;
};

TEST_F(ReportPages, OfATrainingRunHasItsCurvesAndPictures) {
  // One picture of panels for each of two validations.
  expect_fine("training", path("run/report.html"), "2 pictures and 9 plots");
}

TEST_F(ReportPages, OfAnEvaluationHasItsPlotsAndPictures) {
  run({"eval", path("run/checkpoints/last.safetensors"), "--data", path("run.yaml"), "--html",
       path("eval.html")});
  // Four of each of four samples, all of them among the best five, the scale, and the density.
  expect_fine("evaluation", path("eval.html"), "18 pictures and 3 plots");
}

TEST_F(ReportPages, OfAComparisonHasThePicturesOfBoth) {
  run({"compare", path("run/checkpoints/last.safetensors"),
       path("run/checkpoints/best.safetensors"), "--data", path("run.yaml"), "--html",
       path("compare.html"), "--pictures", "2"});
  // Picture, truth, depth and error of both and their difference, of two samples; three scales.
  expect_fine("comparison", path("compare.html"), "17 pictures and 1 plots");
}

TEST_F(ReportPages, OfAQuantizationPlotsItsLayers) {
  run({"quantize", path("run/checkpoints/last.safetensors"), "--calibration", path("raw"), "--out",
       path("int8.onnx"), "--without", "adaptive-rounding", "--profile", "tensorrt", "--pictures",
       "1", "--diagnose", "--html", path("quantize.html")});
  expect_fine("quantization", path("quantize.html"), "0 pictures and 2 plots");
}

// So that "fine" above means something.
TEST_F(ReportPages, FaultsOfAPageAreFound) {
  const auto page = [](const std::string& body) {
    return "<html><head></head><body>" + body + "</body></html>";
  };
  EXPECT_THAT(check(page("<img src=\"data:image/jpeg;base64,AAAA\">"), 390),
              HasSubstr("1 pictures and 0 plots: picture without pixels"));
  EXPECT_THAT(check(page("<script>throw new Error('broken')</script>"), 390), HasSubstr("broken"));
  EXPECT_THAT(check(page("<script>console.error('told')</script>"), 390),
              HasSubstr("console told"));
  EXPECT_THAT(check(page("<div style=\"width:600px\">wide</div>"), 390),
              MatchesRegex(".*is 6[0-9]+ wide on a screen of 390"));
}

}  // namespace
}  // namespace dualdepth
