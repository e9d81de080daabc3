#include "dualdepth/data/synthetic_texture.h"

#include <algorithm>
#include <cmath>

namespace dualdepth::synthetic {
namespace {

// Integer hash with full avalanche (Ettinger's "lowbias32" constants).
uint32_t hash(uint32_t h) {
  h ^= h >> 16;
  h *= 0x7feb352dU;
  h ^= h >> 15;
  h *= 0x846ca68bU;
  return h ^ (h >> 16);
}

float ease(double t) { return static_cast<float>(t * t * (3 - 2 * t)); }

float lerp(float a, float b, float t) { return a + (b - a) * t; }

// Values at whole coordinates, smoothly joined.
float lattice_noise(const Vec3& p, uint32_t seed) {
  const double fx = std::floor(p.x), fy = std::floor(p.y), fz = std::floor(p.z);
  const int x = static_cast<int>(fx), y = static_cast<int>(fy), z = static_cast<int>(fz);
  const float tx = ease(p.x - fx), ty = ease(p.y - fy), tz = ease(p.z - fz);
  const auto along_x = [&](int dy, int dz) {
    return lerp(cell_value(x, y + dy, z + dz, seed), cell_value(x + 1, y + dy, z + dz, seed), tx);
  };
  return lerp(lerp(along_x(0, 0), along_x(1, 0), ty), lerp(along_x(0, 1), along_x(1, 1), ty), tz);
}

}  // namespace

float cell_value(int x, int y, int z, uint32_t seed) {
  const uint32_t mixed = static_cast<uint32_t>(x) * 0x8da6b343U ^
                         static_cast<uint32_t>(y) * 0xd8163841U ^
                         static_cast<uint32_t>(z) * 0xcb1ab31fU ^ seed * 0x9e3779b9U;
  return static_cast<float>(hash(mixed) >> 8) * 0x1p-24F;
}

float noise(const Vec3& point, double wavelength, double footprint, uint32_t seed) {
  float sum = 0.5F;
  float amplitude = 0.5F;
  for (uint32_t octave = 0; octave < 4 && wavelength > footprint; ++octave) {
    const auto fade = static_cast<float>(std::min(1.0, wavelength / footprint - 1));
    sum += amplitude * fade * (lattice_noise(point * (1 / wavelength), seed + octave) - 0.5F);
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
