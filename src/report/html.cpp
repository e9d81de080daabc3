#include "dualdepth/report/html.h"

#include <fmt/format.h>

#include "dualdepth/io/encode_image.h"
#include "dualdepth/report/base64.h"

namespace dualdepth {
namespace {

constexpr int kJpegQuality = 85;

constexpr std::string_view kStyle = R"css(
:root { color-scheme: light dark; font: 16px/1.5 system-ui, sans-serif; }
body { max-width: 82rem; margin: 0 auto; padding: 1rem; overflow-wrap: anywhere; }
h1 { font-size: 1.5rem; } h2 { font-size: 1.2rem; margin-top: 2rem; }
table { overflow-wrap: normal; border-collapse: collapse; font-variant-numeric: tabular-nums; }
th, td { padding: .2rem .8rem; text-align: right; border-bottom: 1px solid #8884; }
th:first-child, td:first-child { text-align: left; }
.wide { overflow-x: auto; }
figure { margin: 1rem 0 2rem; }
.panels { display: grid; grid-template-columns: repeat(auto-fit, minmax(min(100%, 26rem), 1fr)); gap: .4rem; }
.panels .plot { width: 100%; }
.plot text { font: 12px system-ui, sans-serif; fill: currentColor; } .plot .title { font-size: 14px; font-weight: 600; }
.plot .grid { stroke: currentColor; stroke-opacity: .15; } .plot .diagonal { stroke: currentColor; stroke-dasharray: 4 4; }
img { max-width: 100%; height: auto; }
.panels div { font-size: .85rem; } .panels img { width: 100%; display: block; }
@media (min-width: 60rem) { .panels.three { grid-template-columns: repeat(3, 1fr); } }
table.dense { font-size: .85rem; } .dense th, .dense td { padding: .15rem .45rem; } .dense th[colspan] { text-align: center; }
.left th, .left td { text-align: left; vertical-align: top; } h3 { font-size: 1.05rem; margin-top: 1.6rem; }
.name { overflow-wrap: anywhere; } .note { font-size: .85rem; } .single { max-width: 52rem; }
.legend span { margin-right: 1.2rem; } .legend i { display: inline-block; width: .8rem; height: .8rem; margin-right: .4rem; }
)css";

}  // namespace

std::string html_text(std::string_view text) {
  std::string escaped;
  for (const char c : text) {
    switch (c) {
      case '&':
        escaped += "&amp;";
        break;
      case '<':
        escaped += "&lt;";
        break;
      case '>':
        escaped += "&gt;";
        break;
      case '"':
        escaped += "&quot;";
        break;
      case '\'':
        escaped += "&#39;";
        break;
      default:
        escaped += c;
    }
  }
  return escaped;
}

std::string html_picture(const cv::Mat& rgb, std::string_view alt) {
  return fmt::format(R"(<img alt="{}" width="{}" height="{}" src="data:image/jpeg;base64,{}">)",
                     html_text(alt), rgb.cols, rgb.rows, base64(encode_jpeg(rgb, kJpegQuality)));
}

std::string html_page(std::string_view title, std::string_view body) {
  return fmt::format(
      "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n"
      "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n"
      "<title>{0}</title>\n<style>{1}</style>\n</head>\n<body>\n<h1>{0}</h1>\n{2}</body>\n</"
      "html>\n",
      html_text(title), kStyle, body);
}

}  // namespace dualdepth
