#include <algorithm>
#include <cmath>
#include <nlohmann/json.hpp>
#include <set>

#include "dualdepth/base/atomic_file.h"
#include "dualdepth/base/error.h"
#include "dualdepth/quantize/layer_dump.h"

namespace dualdepth::quantize {
namespace {

namespace fs = std::filesystem;
using nlohmann::json;

constexpr uintmax_t kMaxIndexBytes = uintmax_t{64} << 20;
constexpr size_t kShownCharacters = 80;

[[noreturn]] void fail(const std::string& subject, const std::string& expected,
                       const std::string& got) {
  throw Error({.subject = subject,
               .expected = expected,
               .got = got.substr(0, kShownCharacters),
               .fix = "quantize --dump writes such a folder"});
}

// One entry of the index, whose subject names it.
class Entry {
 public:
  Entry(const json& object, std::string subject) : object_(object), subject_(std::move(subject)) {
    if (!object.is_object()) fail(subject_, "an object", shown(object));
  }

  const json& at(const char* key) const {
    const auto found = object_.find(key);
    if (found == object_.end()) fail(subject_, std::string("the key ") + key, "none");
    return *found;
  }

  std::string text(const char* key) const {
    if (!at(key).is_string()) fail(subject_ + ": " + key, "text", shown(at(key)));
    return at(key).get<std::string>();
  }

  int64_t integer(const char* key) const {
    if (!at(key).is_number_integer()) fail(subject_ + ": " + key, "a whole number", shown(at(key)));
    return at(key).get<int64_t>();
  }

  bool has(const char* key) const { return object_.contains(key); }
  const std::string& subject() const { return subject_; }

  static std::string shown(const json& value) {
    return value.dump(-1, ' ', false, json::error_handler_t::replace);
  }

 private:
  const json& object_;
  std::string subject_;
};

fs::path file_of(const Entry& entry) {
  const fs::path file = entry.text("file");
  const bool is_below = file.is_relative() && !file.empty() && std::ranges::count(file, "..") == 0;
  if (!is_below) fail(entry.subject() + ": file", "a file below the folder", file.string());
  return file;
}

double scale_of(const Entry& entry) {
  const json& scale = entry.at("scale");
  const bool fits =
      scale.is_number() && scale.get<double>() > 0 && std::isfinite(scale.get<double>());
  if (!fits) fail(entry.subject() + ": scale", "a number above 0", Entry::shown(scale));
  return scale.get<double>();
}

std::vector<std::string> texts_of(const Entry& entry, const char* key) {
  const json& texts = entry.at(key);
  const auto is_text = [](const json& one) { return one.is_string(); };
  if (!texts.is_array() || !std::ranges::all_of(texts, is_text)) {
    fail(entry.subject() + ": " + key, "a list of names", Entry::shown(texts));
  }
  return texts.get<std::vector<std::string>>();
}

// Type and shape are those of the file, which the index has to repeat.
DumpedValue value_from(const Entry& entry, const fs::path& folder) {
  DumpedValue value{.name = entry.text("name"), .file = file_of(entry)};
  if (entry.has("operator")) value.operation = entry.text("operator");
  if (entry.has("also")) value.also = texts_of(entry, "also");
  const NpyFile file(folder / value.file);
  value.type = file.type();
  value.shape = file.shape();
  if (entry.text("type") != type_name(value.type)) {
    fail((folder / value.file).string(), entry.text("type") + " as the index says",
         std::string(type_name(value.type)));
  }
  if (entry.at("shape") != json(value.shape)) {
    fail((folder / value.file).string(), Entry::shown(entry.at("shape")) + " as the index says",
         shape_text(value.shape));
  }
  if (entry.has("scale")) {
    value.scale = scale_of(entry);
    value.zero_point = entry.integer("zero_point");
  }
  if (value.scale && !is_integer(value.type)) {
    fail(entry.subject() + ": type", "integers, since the value has a scale",
         std::string(type_name(value.type)));
  }
  return value;
}

}  // namespace

LayerDump read_layer_dump(const fs::path& folder) {
  const fs::path index = folder / kLayerIndex;
  const std::string subject = index.string();
  if (!fs::is_regular_file(index)) {
    fail(folder.string(), "a folder of golden tensors with index.json",
         fs::is_directory(folder) ? "a folder without it" : "no such folder");
  }
  const json parsed =
      json::parse(read_file(index, kMaxIndexBytes), nullptr, /*allow_exceptions=*/false);
  if (parsed.is_discarded()) fail(subject, "JSON", "something else, or a part of it");
  const Entry whole(parsed, subject);
  if (whole.integer("format_version") != kLayerIndexVersion) {
    fail(subject + ": format_version", std::to_string(kLayerIndexVersion),
         std::to_string(whole.integer("format_version")));
  }
  LayerDump dump;
  dump.folder = folder;
  dump.model = whole.text("model");
  if (whole.integer("pictures") < 1) {
    fail(subject + ": pictures", "at least 1", std::to_string(whole.integer("pictures")));
  }
  dump.pictures = static_cast<size_t>(whole.integer("pictures"));
  if (!whole.at("input").is_null()) {
    dump.input = value_from({whole.at("input"), subject + ": input"}, folder);
  }
  const json& layers = whole.at("layers");
  if (!layers.is_array() || layers.empty()) {
    fail(subject + ": layers", "a list of layers", Entry::shown(layers));
  }
  std::set<std::string> names;
  for (const json& layer : layers) {
    const Entry entry(layer, subject + ": layer " + std::to_string(dump.layers.size()));
    dump.layers.push_back(value_from(entry, folder));
    if (names.insert(dump.layers.back().name).second) continue;
    fail(entry.subject(), "a name of its own", dump.layers.back().name);
  }
  return dump;
}

}  // namespace dualdepth::quantize
