// The HTML pages that the program writes, opened in a real browser without a screen.
#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <memory>

#include "dualdepth/base/atomic_file.h"
#include "testing/kitti_tree.h"
#include "testing/program.h"

namespace dualdepth {
namespace {

namespace fs = std::filesystem;
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

// A page on a screen of this width.
struct Screen {
  fs::path page;
  int width;
};

// Shows the screens side by side and takes what their checks say as title, in their order.
std::string frame_around(const std::vector<Screen>& screens) {
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
  void SetUp() override {
    if (testing::build_path("chromium").empty()) {
      GTEST_SKIP() << "needs Debian's chromium; tools/setup --interop installs it";
    }
  }

  // Writes the page with the check in its head.
  fs::path checked(const std::string& name, const std::string& html) const {
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
    fs::create_directories(testing::build_path("screenshots"));
    const fs::path picture = fs::path(testing::build_path("screenshots")) / (name + ".png");
    fs::remove(picture);
    start(screens,
          {fmt::format("--window-size={},2400", width), "--screenshot=" + picture.string()});
    EXPECT_GE(read_image_size(picture).width, width) << picture;
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

// Pages of one training run.
class ReportPages : public Browser {
 protected:
  static void SetUpTestSuite() {
    if (testing::build_path("chromium").empty()) return;
    tree_ = std::make_unique<testing::KittiTree>();
    tree_->add_frames(4);
    tree_->folder().write("run.yaml", "output_dir: " + path("run") +
                                          "\nthreads: 1\ndata:\n  root: " + tree_->root().string() +
                                          "\n  train_split: " + path("train.txt") +
                                          "\n  val_split: " + path("train.txt") +
                                          "\n  image_shape: [32, 64]\n  batch_size: 2\n"
                                          "trainer: {max_steps: 4, log_every: 1}\n"
                                          "evaluation: {protocol: benchmark}\n");
    run({"train", path("run.yaml")});
  }
  static void TearDownTestSuite() { tree_.reset(); }

  static std::string path(const std::string& name) { return (tree_->root() / name).string(); }

  static void run(const std::vector<std::string>& words) {
    const auto result = testing::run_program(testing::program(), words);
    ASSERT_EQ(result.exit_code, 0) << result.errors;
  }

  // On a telephone and on a desk.
  void expect_fine(const std::string& name, const fs::path& page, const std::string& count) const {
    const fs::path with_check = checked(name, read_file(page));
    const std::string fine = "checked " + count + ": fine";
    EXPECT_EQ(check({{with_check, 390}, {with_check, 1280}}), fine + " | " + fine) << name;
    keep_screenshot({{page, 390}, {page, 1280}}, name);
  }

 private:
  inline static std::unique_ptr<testing::KittiTree> tree_;
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
  run({"quantize",
       path("run/checkpoints/last.safetensors"),
       "--calibration",
       path("raw"),
       "--out",
       path("int8.onnx"),
       "--without",
       "adaptive-rounding",
       "--without",
       "bias-correction",
       "--without",
       "centring",
       "--without",
       "equalization",
       "--profile",
       "tensorrt",
       "--pictures",
       "1",
       "--diagnose",
       "--html",
       path("quantize.html")});
  expect_fine("quantization", path("quantize.html"), "0 pictures and 2 plots");
}

// So that "fine" above means something.
TEST_F(Browser, FindsTheFaultsOfAPage) {
  const auto page = [&](const std::string& name, const std::string& body) -> Screen {
    return {checked(name, "<html><head></head><body>" + body + "</body></html>"), 390};
  };
  EXPECT_THAT(check({page("picture", "<img src=\"data:image/jpeg;base64,AAAA\">"),
                     page("error", "<script>throw new Error('broken')</script>"),
                     page("console", "<script>console.error('told')</script>"),
                     page("wide", "<div style=\"width:600px\">wide</div>"), page("fine", "fine")}),
              MatchesRegex("checked 1 pictures and 0 plots: picture without pixels \\| "
                           "[^|]*error [^|]*broken[^|]* \\| [^|]*console told[^|]* \\| "
                           "[^|]*is 6[0-9]+ wide on a screen of 390 \\| [^|]*: fine"));
}

}  // namespace
}  // namespace dualdepth
