#include "dualdepth/quantize/layer_comparison.h"

#include <algorithm>
#include <cmath>
#include <map>
#include <set>

#include "dualdepth/base/error.h"

namespace dualdepth::quantize {
namespace {

namespace fs = std::filesystem;

constexpr size_t kBlock = 1 << 16;  // values that are compared at once

// A file of a dump and how its numbers are to be read: scale * (x - zero_point).
struct Source {
  fs::path file;
  double scale = 1;
  double zero_point = 0;
};

class Sources {
 public:
  explicit Sources(const fs::path& folder) : folder_(folder) {
    if (!fs::is_directory(folder)) {
      throw Error({.subject = folder.string(),
                   .expected = "a folder of dumped layers",
                   .got = fs::exists(folder) ? "a file" : "no such folder",
                   .fix = ""});
    }
    if (fs::exists(folder / kLayerIndex)) {
      for (DumpedValue& value : read_layer_dump(folder).layers) {
        std::string name = value.name;
        indexed_.emplace(std::move(name), std::move(value));
      }
    } else {
      for (const auto& entry : fs::directory_iterator(folder)) {
        if (entry.path().extension() == ".npy") files_.insert(entry.path().stem().string());
      }
    }
  }

  // Of a golden layer; nothing when it is not there.
  std::optional<Source> find(const DumpedValue& golden) {
    std::vector<std::string> names{golden.name};
    names.insert(names.end(), golden.also.begin(), golden.also.end());
    for (const std::string& name : names) {
      if (const auto found = indexed_.find(name); found != indexed_.end()) {
        used_.insert(name);
        const DumpedValue& value = found->second;
        if (value.scale) {
          return Source{folder_ / value.file, *value.scale, static_cast<double>(value.zero_point)};
        }
        return as_golden(golden, folder_ / value.file);
      }
    }
    names.front() =
        golden.file.stem().string();  // also where two names differ in such letters only
    for (size_t i = 0; i < names.size(); ++i) {
      const std::string stem = i == 0 ? names[i] : file_name_of(names[i]);
      if (!files_.contains(stem)) continue;
      used_.insert(stem);
      return as_golden(golden, folder_ / (stem + ".npy"));
    }
    return std::nullopt;
  }

  // The input is no layer.
  std::vector<std::string> unused(const DumpedValue& input) {
    used_.insert({input.name, input.file.stem().string()});
    std::vector<std::string> names;
    for (const auto& [name, value] : indexed_) {
      if (!used_.contains(name)) names.push_back(name);
    }
    for (const std::string& name : files_) {
      if (!used_.contains(name)) names.push_back(name + ".npy");
    }
    return names;
  }

 private:
  static Source as_golden(const DumpedValue& golden, const fs::path& file) {
    const NpyFile array(file);
    if (!golden.scale || !is_integer(array.type())) return {file};
    const bool is_wider = type_bytes(array.type()) > type_bytes(golden.type);
    if (array.type() != golden.type && !is_wider) {
      throw Error({.subject = file.string(),
                   .expected = std::string(type_name(golden.type)) + " codes or float32 values",
                   .got = std::string(type_name(array.type())),
                   .fix = "save dequantized values, or write an index.json with scale and "
                          "zero_point (docs/deployment.md)"});
    }
    return {file, *golden.scale, static_cast<double>(golden.zero_point)};
  }

  fs::path folder_;
  std::map<std::string, DumpedValue> indexed_;
  std::set<std::string> files_;  // without extension
  std::set<std::string> used_;
};

// The values of a file, block by block.
class Values {
 public:
  Values(const fs::path& file, double scale, double zero_point)
      : array_(file), scale_(scale), zero_point_(zero_point), block_(kBlock) {}
  explicit Values(const Source& source) : Values(source.file, source.scale, source.zero_point) {}

  const NpyFile& array() const { return array_; }

  std::span<const double> block(uint64_t first) {
    const size_t count = std::min<uint64_t>(kBlock, array_.count() - first);
    const std::span<double> values(block_.data(), count);
    const size_t bytes = type_bytes(array_.type());
    to_doubles(array_.type(), array_.data().subspan(first * bytes, count * bytes), values);
    for (double& value : values) value = scale_ * (value - zero_point_);
    return values;
  }

 private:
  NpyFile array_;
  double scale_, zero_point_;
  std::vector<double> block_;
};

// Shapes equal but for the order of the dimensions, such as that of NHWC.
bool is_reordered(std::vector<int64_t> a, std::vector<int64_t> b) {
  std::ranges::sort(a);
  std::ranges::sort(b);
  return a == b;
}

void expect_shape(const fs::path& file, const NpyFile& array, const DumpedValue& golden) {
  if (array.shape() == golden.shape) return;
  throw Error({.subject = file.string(),
               .expected = shape_text(golden.shape) + ", the shape of the golden tensor",
               .got = shape_text(array.shape()),
               .fix = is_reordered(array.shape(), golden.shape)
                          ? "bring the dimensions into this order with numpy.transpose"
                          : "dump the same pictures, those of the golden input file"});
}

double step_of(Values& golden, const DumpedValue& value) {
  if (value.scale) return *value.scale;
  if (is_integer(value.type)) return 1;
  double low = 0;
  double high = 0;
  for (uint64_t first = 0; first < golden.array().count(); first += kBlock) {
    const auto [least, greatest] = std::ranges::minmax(golden.block(first));
    low = first == 0 ? least : std::min(low, least);
    high = first == 0 ? greatest : std::max(high, greatest);
  }
  return high > low ? (high - low) / 255 : 1;
}

ComparedLayer compare(const DumpedValue& golden, const fs::path& golden_file,
                      const Source& source) {
  ComparedLayer layer{.name = golden.name, .operation = golden.operation, .shape = golden.shape};
  Values expected(golden_file, golden.scale.value_or(1), static_cast<double>(golden.zero_point));
  Values dumped(source);
  expect_shape(source.file, dumped.array(), golden);
  const double step = step_of(expected, golden);
  double signal = 0, power = 0, product = 0, noise = 0, worst = 0;
  uint64_t equal = 0;
  for (uint64_t first = 0; first < expected.array().count(); first += kBlock) {
    const auto g = expected.block(first);
    const auto d = dumped.block(first);
    for (size_t i = 0; i < g.size(); ++i) {
      if (!std::isfinite(d[i])) {
        ++layer.not_finite;
        continue;
      }
      const double difference = std::abs(g[i] - d[i]);
      signal += g[i] * g[i];
      power += d[i] * d[i];
      product += g[i] * d[i];
      noise += difference * difference;
      worst = std::max(worst, difference);
      equal += difference < step / 2 ? 1 : 0;
    }
  }
  const auto count = static_cast<double>(std::max<uint64_t>(1, expected.array().count()));
  constexpr double kNothing = 1e-30;
  layer.sqnr = noise == 0 ? kEqualSqnr : 10 * std::log10((signal + kNothing) / noise);
  layer.cosine =
      signal > 0 && power > 0 ? product / std::sqrt(signal * power) : (signal == power ? 1 : 0);
  layer.worst_steps = worst / step;
  layer.equal = static_cast<double>(equal) / count;
  return layer;
}

}  // namespace

size_t LayerComparison::missing() const {
  return static_cast<size_t>(std::ranges::count(layers, true, &ComparedLayer::is_missing));
}

const ComparedLayer* LayerComparison::first_departure() const {
  const auto found = std::ranges::find(layers, true, &ComparedLayer::departs);
  return found == layers.end() ? nullptr : &*found;
}

LayerComparison compare_layers(const LayerDump& golden, const fs::path& dump, double least_sqnr,
                               const std::function<void(size_t)>& progress) {
  Sources sources(dump);
  LayerComparison comparison;
  for (const DumpedValue& value : golden.layers) {
    ComparedLayer layer{
        .name = value.name, .operation = value.operation, .shape = value.shape, .is_missing = true};
    if (const auto source = sources.find(value)) {
      layer = compare(value, golden.folder / value.file, *source);
      layer.departs = !(layer.sqnr >= least_sqnr) || layer.not_finite > 0;
    }
    comparison.layers.push_back(std::move(layer));
    if (progress) progress(comparison.layers.size());
  }
  comparison.unknown = sources.unused(golden.input);
  if (comparison.missing() < comparison.layers.size()) return comparison;
  throw Error({.subject = dump.string(),
               .expected = "files named after the golden layers, such as " +
                           golden.layers.front().file.filename().string(),
               .got = comparison.unknown.empty() ? "no .npy file"
                                                 : comparison.unknown.front() + " and others",
               .fix = "name the files as those of the golden folder's values"});
}

}  // namespace dualdepth::quantize
