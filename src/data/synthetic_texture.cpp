#include "dualdepth/data/synthetic_texture.h"

#include <algorithm>
#include <cmath>

namespace dualdepth::synthetic {
namespace {

// One round of multiply and shift: enough that neighbouring cells look unrelated.
float hash_to_unit(uint32_t h) {
  h ^= h >> 15;
  h *= 0x2c1b3c6dU;
  h ^= h >> 12;
  return static_cast<float>(h * 0x297a2d39U >> 8) * 0x1p-24F;
}

constexpr uint32_t kStepX = 0x8da6b343U;
constexpr uint32_t kStepY = 0xd8163841U;
constexpr uint32_t kStepZ = 0xcb1ab31fU;

uint32_t cell_key(int x, int y, int z, uint32_t seed) {
  return static_cast<uint32_t>(x) * kStepX + static_cast<uint32_t>(y) * kStepY +
         static_cast<uint32_t>(z) * kStepZ + seed * 0x9e3779b9U;
}

float lerp(float a, float b, float t) { return a + (b - a) * t; }

// A coordinate as the cell below it and the eased way to the next.
struct CellPosition {
  int cell;
  float share;

  explicit CellPosition(double v) : cell(static_cast<int>(v)) {
    if (v < cell) --cell;  // std::floor is a library call on plain x86-64
    const auto t = static_cast<float>(v - cell);
    share = t * t * (3 - 2 * t);
  }
};

}  // namespace

float cell_value(int x, int y, int z, uint32_t seed) {
  return hash_to_unit(cell_key(x, y, z, seed));
}

float value_noise(const Vec3& p, uint32_t seed) {
  const CellPosition x(p.x), y(p.y), z(p.z);
  const uint32_t key = cell_key(x.cell, y.cell, z.cell, seed);
  const auto along_x = [&](uint32_t row) {
    return lerp(hash_to_unit(row), hash_to_unit(row + kStepX), x.share);
  };
  const auto layer = [&](uint32_t first) {
    return lerp(along_x(first), along_x(first + kStepY), y.share);
  };
  if (z.share == 0) return layer(key);  // plane patterns cost half
  return lerp(layer(key), layer(key + kStepZ), z.share);
}

float noise(const Vec3& point, double wavelength, double footprint, uint32_t seed) {
  float sum = 0.5F;
  float amplitude = 0.5F;
  for (uint32_t octave = 0; octave < 3 && wavelength > footprint; ++octave) {
    const auto fade = static_cast<float>(std::min(1.0, wavelength / footprint - 1));
    sum += amplitude * fade * (value_noise(point * (1 / wavelength), seed + octave) - 0.5F);
    wavelength /= 2;
    amplitude /= 2;
  }
  return std::clamp(sum, 0.0F, 1.0F);
}

float band(double x, double low, double high, double footprint) {
  const double width = std::max(footprint, 1e-4);
  const double from = std::max(low, x - width / 2);
  const double to = std::min(high, x + width / 2);
  return static_cast<float>(std::max(0.0, to - from) / width);
}

float repeated_band(double x, double period, double width, double footprint) {
  const float mean = static_cast<float>(width / period);
  if (footprint >= period) return mean;
  const double phase = x - period * std::floor(x / period);
  const float here = band(phase, 0, width, footprint) +
                     band(phase, period, period + width, footprint) +
                     band(phase, -period, width - period, footprint);
  return lerp(here, mean, static_cast<float>(footprint / period));
}

}  // namespace dualdepth::synthetic
