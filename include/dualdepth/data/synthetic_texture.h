#pragma once

#include <cstdint>
#include <opencv2/core.hpp>

#include "dualdepth/data/synthetic_shape.h"

// Patterns without image files. Each takes a `footprint`: the width in metres that one pixel covers
// there. Detail finer than that fades to its mean, so far surfaces do not flicker.
namespace dualdepth::synthetic {

// Linear RGB reflectance or radiance; 1 is white.
using Color = cv::Vec3f;

// Uniform in [0, 1), a function of the cell and the seed alone.
float cell_value(int x, int y, int z, uint32_t seed);

// Cell values at whole coordinates, smoothly joined: [0, 1) with features of about one unit.
float value_noise(const Vec3& point, uint32_t seed);

// Smooth noise in [0, 1] with features of about `wavelength` metres and finer ones down to 1/4 of
// it (three octaves); 0.5 where the footprint exceeds all of them.
float noise(const Vec3& point, double wavelength, double footprint, uint32_t seed);

// Share of the pixel around x that lies in [low, high].
float band(double x, double low, double high, double footprint);

// The same for bands [0, width] repeated every `period`.
float repeated_band(double x, double period, double width, double footprint);

inline Color mix(const Color& a, const Color& b, float share) { return a + (b - a) * share; }

}  // namespace dualdepth::synthetic
