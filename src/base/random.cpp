#include "dualdepth/base/random.h"

#include <cmath>
#include <numbers>

namespace dualdepth {
namespace {

uint64_t mix(uint64_t z) {
  z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9ULL;
  z = (z ^ (z >> 27)) * 0x94d049bb133111ebULL;
  return z ^ (z >> 31);
}

constexpr uint64_t kGoldenGamma = 0x9e3779b97f4a7c15ULL;

}  // namespace

RandomStream::RandomStream(std::initializer_list<uint64_t> keys) : state_(0) {
  for (const uint64_t key : keys) state_ = mix(state_ + kGoldenGamma + mix(key + kGoldenGamma));
}

uint64_t RandomStream::next() { return mix(state_ += kGoldenGamma); }

double RandomStream::uniform() { return static_cast<double>(next() >> 11) * 0x1.0p-53; }

double RandomStream::uniform(double low, double high) { return low + (high - low) * uniform(); }

uint64_t RandomStream::below(uint64_t bound) {
  const uint64_t reject_below = (0 - bound) % bound;
  uint64_t draw = next();
  while (draw < reject_below) draw = next();
  return draw % bound;
}

double RandomStream::normal() {
  const double radius = std::sqrt(-2.0 * std::log(1.0 - uniform()));
  return radius * std::cos(2.0 * std::numbers::pi * uniform());
}

}  // namespace dualdepth
