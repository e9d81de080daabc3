#include <fmt/format.h>

#include <filesystem>
#include <memory>

#include "dualdepth/base/atomic_file.h"
#include "dualdepth/export/open_graph.h"
#include "dualdepth/graph/graph_view.h"
#include "inspect.h"

namespace dualdepth {

void add_inspect_graph(CLI::App& inspect, ProgramState&) {
  struct Options {
    std::filesystem::path file;
    std::filesystem::path svg;
    int64_t height = 0;
    int64_t width = 0;
  };
  const auto options = std::make_shared<Options>();
  CLI::App* verb = inspect.add_subcommand(
      "graph", "Print the network graph: nodes, shapes, parameters, multiply-accumulates");
  verb->add_option("FILE", options->file, "checkpoint (.safetensors) or ONNX (.onnx)")->required();
  verb->add_option("--height", options->height, "px, for a checkpoint or a dynamic ONNX file");
  verb->add_option("--width", options->width, "px, likewise");
  verb->add_option("--svg", options->svg, "also draw it")->type_name("FILE");
  verb->footer("Example: dualdepth inspect graph depth.onnx --svg graph.svg");
  verb->callback([options] {
    const graph::Graph graph = open_graph(options->file, options->height, options->width);
    fmt::print("{}", graph::graph_text(graph));
    if (!options->svg.empty()) write_file_atomically(options->svg, graph::graph_svg(graph));
  });
}

}  // namespace dualdepth
