#include "evaluation_data.h"

#include <charconv>
#include <vector>

#include "dualdepth/base/error.h"
#include "dualdepth/config/run_config.h"
#include "dualdepth/metrics/protocol.h"
#include "dualdepth/runtime/evaluation.h"
#include "enum_option.h"

namespace dualdepth {
namespace {

std::string protocol_names() {
  std::string names;
  for (const Protocol& protocol : all_protocols()) {
    names += (names.empty() ? "" : ", ") + protocol.name;
  }
  return names;
}

// "0.1-15" in metres.
std::vector<double> parse_range(const std::string& text) {
  double low = 0;
  double high = 0;
  const char* end = text.data() + text.size();
  const auto first = std::from_chars(text.data(), end, low);
  if (first.ec == std::errc() && first.ptr != end && *first.ptr == '-') {
    const auto second = std::from_chars(first.ptr + 1, end, high);
    if (second.ec == std::errc() && second.ptr == end) return {low, high};
  }
  throw Error({.subject = "--range",
               .expected = "NEAREST-FARTHEST in metres, such as 0.1-15",
               .got = text,
               .fix = ""});
}

}  // namespace

void EvaluationData::add_to(CLI::App& verb) {
  auto* config = verb.add_option("--data", config_,
                                 "YAML whose data section names the samples (its val_split) and "
                                 "whose evaluation section says how to judge")
                     ->type_name("CONFIG");
  const auto own = [&](CLI::Option* option) { config->excludes(option); };
  own(add_enum_option(verb, "--dataset", data_.dataset, "layout on disk"));
  own(verb.add_option("--root", data_.root, "folder with the drives or sequences")
          ->type_name("DIR"));
  own(verb.add_option("--split", data_.val_split, "file that lists the samples")
          ->type_name("FILE"));
  own(verb.add_option("--depth-root", data_.depth_root,
                      "kitti: folder with annotated depth; default: searched in and beside root")
          ->type_name("DIR"));
  own(add_enum_option(verb, "--depth-type", data_.depth_type, "ncdb: which depth maps"));
  own(verb.add_option("--depth-folder", data_.depth_folder,
                      "ncdb: folder of depth maps, in place of the type's")
          ->type_name("NAME"));
  own(verb.add_flag("--use-mask", data_.use_mask,
                    "ncdb: leave out what binary_mask.png leaves out"));
  own(add_enum_option(verb, "--missing", data_.missing,
                      "what a listed sample without its file is"));
  verb.add_option("--protocol", protocol_,
                  "ground truth, crop and cap: " + protocol_names() +
                      "; default: the config's, or that of the data set")
      ->type_name("NAME");
  verb.add_option("--range", range_, "truth that counts, m; protocol ncdb alone")
      ->type_name("NEAR-FAR");
  verb.add_option_function<std::string>(
          "--scaling",
          [this](const std::string& name) {
            scaling_ = name == "median" ? ScalingKind::kMedian : ScalingKind::kNone;
          },
          "per-picture scaling of predictions to ground truth")
      ->check(CLI::IsMember({"none", "median"}))
      ->type_name("NAME");
  verb.add_flag("--flip", flip_, "average with the prediction of the mirrored picture");
  verb.add_flag("--classes", classes_, "also judge each class that the data set has masks of");
}

JudgedData EvaluationData::resolve() const {
  JudgedData judged;
  if (!config_.empty()) {
    const RunConfig config = load_run_config(config_, {});
    judged = {config.data, config.evaluation};
  } else if (!data_.root.empty()) {
    judged.data = data_;
    if (data_.dataset == DatasetKind::kNcdb) judged.evaluation.protocol = "ncdb";
  } else {
    throw Error({.subject = "samples to judge by",
                 .expected = "--data CONFIG, or --root DIR with --split FILE",
                 .got = "neither",
                 .fix = ""});
  }
  EvaluationOptions& evaluation = judged.evaluation;
  if (protocol_) evaluation.protocol = *protocol_;
  if (!range_.empty()) evaluation.range = parse_range(range_);
  if (scaling_) evaluation.scaling = *scaling_;
  evaluation.flip = evaluation.flip || flip_;
  evaluation.classes = evaluation.classes || classes_;
  judged.data = with_ground_truth_of(find_protocol(evaluation.protocol), judged.data);
  return judged;
}

}  // namespace dualdepth
