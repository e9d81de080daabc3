#include <fmt/format.h>
#include <fmt/ranges.h>

#include <cstdio>
#include <filesystem>
#include <map>
#include <memory>
#include <optional>
#include <string>

#include "dualdepth/config/run_config.h"
#include "dualdepth/export/frozen_trace.h"
#include "dualdepth/export/graph_from_trace.h"
#include "dualdepth/model/depth_net.h"
#include "dualdepth/model/weights.h"
#include "dualdepth/runtime/checkpoint.h"
#include "dualdepth/runtime/exported_model.h"
#include "dualdepth/runtime/onnx_contract.h"
#include "inspect.h"

namespace dualdepth {
namespace {

struct InspectedModel {
  RunConfig config;
  DepthNet net{nullptr};
  std::string weights;  // where they come from
};

InspectedModel open_model(const std::filesystem::path& file) {
  const auto extension = file.extension();
  if (extension == ".yaml" || extension == ".yml") {
    auto config = load_run_config(file, {});
    DepthNet net(config.model);
    net->eval();
    auto weights = config.model.pretrained.empty() ? "random" : config.model.pretrained;
    return {std::move(config), net, weights};
  }
  const auto checkpoint = open_checkpoint(file);
  auto net = load_network(checkpoint);
  const auto counter = [&](const char* key) {
    const auto found = checkpoint.metadata.find(key);
    return found != checkpoint.metadata.end() && found->is_number() ? found->dump() : "unknown";
  };
  auto weights =
      fmt::format("{} (step {}, epoch {})", file.string(), counter("step"), counter("epoch"));
  return {checkpoint.config, net, weights};
}

bool is_exported(const std::filesystem::path& file) {
  const auto extension = file.extension();
  return extension == ".onnx" || extension == ".ts" || extension == ".pt";
}

Contract exported_contract(const std::filesystem::path& file, const std::filesystem::path& card) {
  std::optional<Contract> given;
  if (!card.empty()) given = read_contract(card);
  if (file.extension() == ".onnx") return contract_of(OnnxFile(file), given);
  return open_torchscript(file, c10::kCPU, given)->contract();
}

// Of a checkpoint's or configuration's network when it is exported.
Contract contract_of(const RunConfig& config) {
  return contract_of(config.model, config.data, outputs_of(config.model).front());
}

// The first name is the part, for the decoder with its second: "encoder", "decoder",
// "decoder.head_0".
std::string part_of(const std::string& name) {
  const auto head = name.find(".head_");
  return name.substr(0, name.find('.', head == std::string::npos ? 0 : head + 1));
}

void print_facts(const InspectedModel& model) {
  const auto& options = model.config.model;
  const auto& codec = options.params.codec;
  const auto& shape = model.config.data.image_shape;
  fmt::print("encoder  {}\n", enum_name(options.encoder));
  if (options.encoder_width != 1 || options.decoder_width != 1) {
    fmt::print("width    {} of the encoder's channels, {} of the decoder's\n",
               options.encoder_width, options.decoder_width);
  }
  if (options.decoder_block != DecoderBlock::kPlain) {
    fmt::print("decoder  {} convolutions\n", enum_name(options.decoder_block));
  }
  fmt::print("weights  {}\n", model.weights);
  fmt::print("input    image [N, 3, {}, {}], RGB in 0..1, (x - [{}]) / [{}]\n", shape[0], shape[1],
             fmt::join(options.mean, ", "), fmt::join(options.std, ", "));
  const HeadKind head = options.head_kind();
  fmt::print("head     {}\n", enum_name(head));
  if (head == HeadKind::kSigmoid) {
    fmt::print("codec    none: one sigmoid, {} to {} m\n", codec.min_depth, codec.max_depth);
  } else {
    fmt::print("codec    {}, spacing {}, {} levels, {} to {} m\n", enum_name(codec.codec),
               enum_name(codec.spacing), codec.n_integer_levels, codec.min_depth, codec.max_depth);
  }
  if (codec.decoding != LevelDecoding::kArgmax) {
    fmt::print("decoding {} of the distribution over levels\n", enum_name(codec.decoding));
  }
  if (head == HeadKind::kCumulative) {
    fmt::print("decoding slope {}, quantile {}\n", options.head.slope, options.head.quantile);
  } else if (head == HeadKind::kHilbert) {
    fmt::print("curve    of order {}\n", codec.hilbert_order);
  }
  if (options.head.level_smoothing > 0) {
    fmt::print("levels   smoothed over {} levels when predicting\n", options.head.level_smoothing);
  }
}

struct Cost {
  int64_t parameters = 0;
  int64_t macs = 0;  // multiply-accumulates when predicting
};

// Of a network of its own, since a trace changes its filters.
graph::Graph graph_of(const RunConfig& config) {
  const auto& shape = config.data.image_shape;
  return graph_from_trace(trace_network(DepthNet(config.model), {ModelOutputs::kLogits}),
                          {1, 3, shape[0], shape[1]});
}

void print_costs(const InspectedModel& model) {
  std::map<std::string, Cost> parts;
  Cost all;
  for (const auto& parameter : model.net->named_parameters()) {
    parts[part_of(parameter.key())].parameters += parameter.value().numel();
    all.parameters += parameter.value().numel();
  }
  const graph::Graph graph = graph_of(model.config);
  for (graph::NodeId id = 0; id < graph.nodes().size(); ++id) {
    const int64_t macs = graph::multiply_accumulates(graph, id);
    if (macs == 0) continue;
    parts[part_of(graph.node(id).module)].macs += macs;
    all.macs += macs;
  }
  const auto print = [](const std::string& part, const Cost& cost) {
    fmt::print("{:<22} {:>12} {:>8.3f}\n", part, cost.parameters,
               static_cast<double>(cost.macs) / 1e9);
  };
  fmt::print("\n{:<22} {:>12} {:>8}\n", "part", "parameters", "GMAC");
  for (const auto& [part, cost] : parts) print(part, cost);
  print("all", all);
}

void print_maps(InspectedModel& model) {
  const torch::NoGradGuard no_grad;
  const auto& shape = model.config.data.image_shape;
  const auto image = torch::zeros({1, 3, shape[0], shape[1]});
  const auto print = [](const std::string& name, const torch::Tensor& map) {
    fmt::print("{:<22} {:>12}\n", name, fmt::format("{}", fmt::join(map.sizes().slice(1), " x ")));
  };
  fmt::print("\n{:<22} {:>12}\n", "map", "C x H x W");
  const auto encoded = model.net->encoder().forward(image);
  for (size_t i = 0; i < encoded.size(); ++i) print(fmt::format("encoder {}", i), encoded[i]);
  for (const auto& [scale, feature] : model.net->decoder()(encoded)) {
    print(fmt::format("decoder scale {}", scale), feature);
    const auto channels = head_channels(model.config.model);
    fmt::print("{:<22} {:>12}\n", fmt::format("head_{}.integer", scale),
               fmt::format("{} x {} x {}", channels, feature.size(2), feature.size(3)));
  }
}

void print_tensors(const DepthNet& net) {
  fmt::print("\n{:<44} {}\n", "tensor", "shape");
  for (const auto& [name, tensor] : state_of(*net)) {
    fmt::print("{:<44} [{}]\n", name, fmt::join(tensor.sizes(), ", "));
  }
}

}  // namespace

void add_inspect_model(CLI::App& inspect, ProgramState&) {
  struct Options {
    std::filesystem::path file;
    std::filesystem::path card;
    bool tensors = false;
  };
  const auto options = std::make_shared<Options>();
  CLI::App* verb = inspect.add_subcommand("model",
                                          "Print a network's contract, parameters and "
                                          "multiply-accumulates of each part, and shapes of its "
                                          "maps");
  verb->add_option(
          "MODEL", options->file,
          "configuration (.yaml), checkpoint (.safetensors), or exported file (.onnx, .ts), of "
          "which only the contract is printed")
      ->required();
  verb->add_option("--card", options->card, "contract (JSON) of an exported file that carries none")
      ->type_name("FILE");
  verb->add_flag("--tensors", options->tensors, "also list every tensor with its shape");
  verb->footer("Example: dualdepth inspect model configs/kitti_mini.yaml");
  verb->callback([options] {
    if (is_exported(options->file)) {
      fmt::print("{}", to_readable_json(exported_contract(options->file, options->card)));
      return;
    }
    auto model = open_model(options->file);
    print_facts(model);
    fmt::print("\ncontract\n{}", to_readable_json(contract_of(model.config)));
    print_costs(model);
    print_maps(model);
    if (options->tensors) print_tensors(model.net);
  });
}

}  // namespace dualdepth
