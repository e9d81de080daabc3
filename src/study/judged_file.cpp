#include "dualdepth/study/judged_file.h"

#include <cmath>
#include <limits>
#include <string_view>

#include "dualdepth/study/study_folder.h"

namespace dualdepth::study {
namespace {

using Json = nlohmann::ordered_json;

Json metrics_json(const DepthMetrics& metrics) {
  Json json = Json::object();
  DepthMetrics::visit_fields([&](std::string_view name, double DepthMetrics::*metric) {
    if (std::isfinite(metrics.*metric)) json[std::string(name)] = metrics.*metric;
  });
  return json;
}

DepthMetrics metrics_from(const nlohmann::json& json) {
  DepthMetrics metrics;
  DepthMetrics::visit_fields([&](std::string_view name, double DepthMetrics::*metric) {
    metrics.*metric = json.value(std::string(name), std::numeric_limits<double>::quiet_NaN());
  });
  return metrics;
}

Json difference_json(const DepthDifference& difference) {
  Json json{{"pixels", difference.pixels},           {"without_depth", difference.without_depth},
            {"mean_mm", difference.mean_mm},         {"median_mm", difference.median_mm},
            {"within_1_25", difference.within_1_25}, {"within_1_05", difference.within_1_05},
            {"histogram", difference.histogram},     {"bins", Json::array()}};
  for (const RangeDifference& bin : difference.bins) {
    json["bins"].push_back({{"name", bin.name}, {"pixels", bin.pixels}, {"mean_mm", bin.mean_mm}});
  }
  return json;
}

DepthDifference difference_from(const nlohmann::json& json) {
  DepthDifference difference{.pixels = json.at("pixels"),
                             .without_depth = json.at("without_depth"),
                             .mean_mm = json.at("mean_mm"),
                             .median_mm = json.at("median_mm"),
                             .within_1_25 = json.at("within_1_25"),
                             .within_1_05 = json.at("within_1_05"),
                             .histogram = json.at("histogram")};
  for (const auto& bin : json.at("bins")) {
    difference.bins.push_back(
        {.name = bin.at("name"), .pixels = bin.at("pixels"), .mean_mm = bin.at("mean_mm")});
  }
  return difference;
}

}  // namespace

std::vector<std::string> judged_names(const JudgeOptions& judge) {
  std::vector<std::string> names{kFloat, std::string(kFloat) + "_as_written"};
  for (const WeightGranularity weights : judge.weights) {
    names.push_back(quantize_stage(weights));
    names.push_back(quantize_stage(weights) + "_as_written");
  }
  return names;
}

std::string int8_name(const JudgeOptions& judge) {
  return quantize_stage(judge.weights.back()) + "_as_written";
}

nlohmann::ordered_json to_json(const JudgedFile& judged) {
  const EvaluationResult& result = judged.result;
  Json json{{"name", judged.name},
            {"protocol", result.protocol},
            {"summary", metrics_json(result.summary)},
            {"bins", Json::array()},
            {"per_sample", Json::array()},
            {"to_float", difference_json(judged.to_float)},
            {"ms_per_picture", judged.ms_per_picture},
            {"bytes", judged.bytes}};
  for (const GroupMetrics& bin : result.bins) {
    Json row = bin.pixels > 0 ? metrics_json(bin.metrics) : Json::object();
    row["name"] = bin.name;
    row["pixels"] = bin.pixels;
    json["bins"].push_back(std::move(row));
  }
  for (const SampleMetrics& sample : result.samples) {
    Json row = metrics_json(sample.metrics);
    row["id"] = sample.id;
    row["pixels"] = sample.pixels;
    json["per_sample"].push_back(std::move(row));
  }
  return json;
}

JudgedFile judged_file_from(const nlohmann::json& json) {
  JudgedFile judged{.name = json.at("name"),
                    .result = {},
                    .to_float = difference_from(json.at("to_float")),
                    .ms_per_picture = json.at("ms_per_picture"),
                    .bytes = json.at("bytes")};
  EvaluationResult& result = judged.result;
  result.protocol = json.at("protocol");
  result.summary = metrics_from(json.at("summary"));
  for (const auto& row : json.at("bins")) {
    result.bins.push_back(
        {.name = row.at("name"), .pixels = row.at("pixels"), .metrics = metrics_from(row)});
  }
  for (const auto& row : json.at("per_sample")) {
    result.samples.push_back(
        {.id = row.at("id"), .metrics = metrics_from(row), .pixels = row.at("pixels")});
  }
  return judged;
}

}  // namespace dualdepth::study
