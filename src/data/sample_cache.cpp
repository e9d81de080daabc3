#include "dualdepth/data/sample_cache.h"

#include <sys/stat.h>

#include <cerrno>
#include <cmath>
#include <cstring>
#include <mutex>
#include <span>
#include <unordered_map>

#include "dualdepth/base/atomic_file.h"
#include "dualdepth/base/error.h"
#include "dualdepth/base/log.h"
#include "dualdepth/io/mapped_file.h"

namespace dualdepth {
namespace {

namespace fs = std::filesystem;

class MemoryCache : public SampleCache {
 public:
  std::shared_ptr<const PreparedSample> find(const std::string& key) override {
    const std::lock_guard lock(mutex_);
    const auto found = samples_.find(key);
    return found == samples_.end() ? nullptr : found->second;
  }

  void store(const std::string& key, std::shared_ptr<const PreparedSample> sample) override {
    const std::lock_guard lock(mutex_);
    samples_.insert_or_assign(key, std::move(sample));
  }

 private:
  std::mutex mutex_;
  std::unordered_map<std::string, std::shared_ptr<const PreparedSample>> samples_;
};

// One file: Header, key, rgb [height, width, 3], pixels [count] int32, depths [count] float.
struct Header {
  std::array<char, 8> magic = {'D', 'D', 'S', 'A', 'M', 'P', 'L', '1'};
  uint32_t key_length = 0;
  int32_t width = 0;
  int32_t height = 0;
  uint32_t count = 0;
};

// Takes bytes from the front of what is left of a file.
class ByteReader {
 public:
  explicit ByteReader(std::span<const std::byte> bytes) : rest_(bytes) {}

  // False when fewer are left.
  bool read(void* target, size_t count) {
    if (count > rest_.size()) return false;
    std::memcpy(target, rest_.data(), count);
    rest_ = rest_.subspan(count);
    return true;
  }

  size_t left() const { return rest_.size(); }

 private:
  std::span<const std::byte> rest_;
};

bool is_sound(const SparseDepth& truth, int64_t area) {
  int64_t last = -1;
  for (size_t i = 0; i < truth.pixels.size(); ++i) {
    if (truth.pixels[i] <= last || truth.pixels[i] >= area) return false;
    if (!(truth.depths[i] > 0) || !std::isfinite(truth.depths[i])) return false;
    last = truth.pixels[i];
  }
  return true;
}

// Nothing when the bytes are not a whole entry with this key.
std::shared_ptr<const PreparedSample> parse_entry(std::span<const std::byte> bytes,
                                                  const std::string& key) {
  ByteReader reader(bytes);
  Header header;
  if (!reader.read(&header, sizeof header) || header.magic != Header{}.magic) return nullptr;
  if (header.key_length != key.size()) return nullptr;
  std::string stored(key.size(), '\0');
  if (!reader.read(stored.data(), stored.size()) || stored != key) return nullptr;
  if (header.width <= 0 || header.height <= 0) return nullptr;
  const uint64_t area = static_cast<uint64_t>(header.width) * static_cast<uint64_t>(header.height);
  if (reader.left() != area * 3 + uint64_t{header.count} * 8) return nullptr;
  auto sample = std::make_shared<PreparedSample>();
  sample->rgb.create(header.height, header.width, CV_8UC3);
  sample->truth.pixels.resize(header.count);
  sample->truth.depths.resize(header.count);
  reader.read(sample->rgb.data, area * 3);
  reader.read(sample->truth.pixels.data(), header.count * sizeof(int32_t));
  reader.read(sample->truth.depths.data(), header.count * sizeof(float));
  return is_sound(sample->truth, static_cast<int64_t>(area)) ? sample : nullptr;
}

class DiskCache : public SampleCache {
 public:
  explicit DiskCache(fs::path folder) : folder_(std::move(folder)) {
    make_writable_folder(folder_);
  }

  std::shared_ptr<const PreparedSample> find(const std::string& key) override {
    const fs::path file = file_of(key);
    std::error_code ignored;
    if (!fs::is_regular_file(file, ignored)) return nullptr;
    return parse_entry(MappedFile(file).bytes(), key);
  }

  void store(const std::string& key, std::shared_ptr<const PreparedSample> sample) override {
    const SparseDepth& truth = sample->truth;
    Header header;
    header.key_length = static_cast<uint32_t>(key.size());
    header.width = sample->rgb.cols;
    header.height = sample->rgb.rows;
    header.count = static_cast<uint32_t>(truth.pixels.size());
    const cv::Mat rgb = sample->rgb.isContinuous() ? sample->rgb : sample->rgb.clone();
    AtomicFile file(file_of(key));
    file.write(&header, sizeof header);
    file.write(key);
    file.write(rgb.data, rgb.total() * rgb.elemSize());
    file.write(truth.pixels.data(), truth.pixels.size() * sizeof(int32_t));
    file.write(truth.depths.data(), truth.depths.size() * sizeof(float));
    file.commit();
  }

 private:
  fs::path file_of(const std::string& key) const {
    uint64_t hash = 0xcbf29ce484222325;  // FNV-1a
    for (const unsigned char c : key) hash = (hash ^ c) * 0x100000001b3;
    return folder_ / fmt::format("{:016x}.sample", hash);
  }

  const fs::path folder_;
};

fs::path default_cache_folder() {
  if (const char* cache = std::getenv("XDG_CACHE_HOME"); cache && *cache) {
    return fs::path(cache) / "dualdepth/samples";
  }
  const char* home = std::getenv("HOME");
  return fs::path(home ? home : ".") / ".cache/dualdepth/samples";
}

}  // namespace

std::unique_ptr<SampleCache> make_sample_cache(const DataOptions& options) {
  switch (options.cache) {
    case CacheKind::kNone:
      return nullptr;
    case CacheKind::kMemory:
      return std::make_unique<MemoryCache>();
    case CacheKind::kDisk:
      return std::make_unique<DiskCache>(options.cache_dir.empty() ? default_cache_folder()
                                                                   : fs::path(options.cache_dir));
  }
  return nullptr;
}

std::string cache_key(const Dataset& dataset, size_t index, const DataOptions& options) {
  std::string key =
      fmt::format("1 {}x{} kb_crop {} {} {}", options.image_shape[0], options.image_shape[1],
                  options.kb_crop, enum_name(options.ground_truth), enum_name(options.projection));
  for (const fs::path& file : dataset.files(index)) {
    struct stat status = {};
    if (::stat(file.c_str(), &status) != 0) {
      throw Error({.subject = file.string(),
                   .expected = "the file that was there when the data set was opened",
                   .got = std::strerror(errno),
                   .fix = ""});
    }
    key += fmt::format("\n{} {} {}.{:09}", fs::absolute(file).lexically_normal().string(),
                       status.st_size, status.st_mtim.tv_sec, status.st_mtim.tv_nsec);
  }
  return key;
}

}  // namespace dualdepth
