#include "dualdepth/data/synthetic_render.h"

#include <algorithm>
#include <array>

#include "dualdepth/base/random.h"

namespace dualdepth::synthetic {
namespace {

constexpr uint32_t kSky = 0;

// Radiance along one ray, and the surface it came from.
struct Sample {
  Color color;
  double distance = 0;
  uint32_t surface = kSky;  // differs between objects and between the faces of one
  int object = Rendering::kNoObject;
};

// The normal of leaves points anywhere; bend it the same way each time the point is seen.
Vec3 bend(const Vec3& normal, const Vec3& point, float roughness) {
  const auto push = [&](uint32_t seed) { return 2.0 * value_noise(point * (1 / 0.3), seed) - 1.0; };
  return normalized(normal + Vec3{push(11), push(12), push(13)} * (2.5 * roughness));
}

Color mirrored(const Lighting& lighting, const Vec3& direction) {
  if (direction.z > 0) return lighting.sky(direction);
  return lighting.ambient({0, 0, 1}) * 0.25F;
}

class Shader {
 public:
  Shader(const Scene& scene, const Camera& camera)
      : scene_(scene), lighting_(scene.lighting()), pixel_angle_(camera.pixel_angle) {}

  Sample sample(const Ray& ray) const {
    const auto hit = scene_.nearest(ray);
    if (!hit) return {lighting_.sky(ray.direction)};
    const SurfacePoint point = scene_.point_at(ray, *hit);
    const auto veil = static_cast<float>(1 - std::exp(-hit->distance / lighting_.haze_length));
    // Wraps to 0 for the ground, which has no faces but must differ from the sky.
    const uint32_t surface = hit->object * 8 + static_cast<uint32_t>(point.face) + 16;
    const int object =
        hit->object == Scene::Hit::kGround ? Rendering::kNoObject : static_cast<int>(hit->object);
    return {mix(radiance(ray, *hit, point), lighting_.horizon, veil), hit->distance, surface,
            object};
  }

 private:
  Color radiance(const Ray& ray, const Scene::Hit& hit, const SurfacePoint& point) const {
    const double facing = std::max(0.02, -ray.direction.dot(point.normal));
    const double across = hit.distance * pixel_angle_;
    const Footprint footprint{across, across / facing};
    const Surface surface = scene_.surface_at(hit, point, footprint);
    const Vec3 where = ray.at(hit.distance);
    const Vec3 normal =
        surface.roughness > 0 ? bend(point.normal, where, surface.roughness) : point.normal;
    const Color sunlight = direct_light(where, point.normal, normal);
    const Color light = sunlight + lighting_.ambient(normal);
    // Light that reaches the inside of a crown has lost much of itself on the way.
    const float passed = ray.direction.dot(point.normal) > 0 ? 0.35F : 1.0F;
    const Color diffuse = surface.albedo.mul(light) * passed;
    return surface.gloss > 0 ? with_gloss(ray, point.normal, surface.gloss, diffuse, sunlight)
                             : diffuse;
  }

  Color direct_light(const Vec3& where, const Vec3& geometric_normal, const Vec3& normal) const {
    const double cosine = normal.dot(lighting_.to_sun);
    if (cosine <= 0 || geometric_normal.dot(lighting_.to_sun) <= 0 || lighting_.sun[0] <= 0 ||
        scene_.blocked({where + geometric_normal * 1e-4, lighting_.to_sun})) {
      return {0, 0, 0};
    }
    return lighting_.sun * static_cast<float>(cosine);
  }

  // Schlick's approximation of Fresnel's law.
  Color with_gloss(const Ray& ray, const Vec3& normal, float gloss, const Color& diffuse,
                   const Color& sunlight) const {
    const double cosine = std::max(0.0, -ray.direction.dot(normal));
    const auto share = static_cast<float>(gloss + (0.8 - gloss) * std::pow(1 - cosine, 5));
    const Vec3 mirror = ray.direction + normal * (2 * cosine);
    const double highlight = std::pow(std::max(0.0, mirror.dot(lighting_.to_sun)), 120);
    return mix(diffuse, mirrored(lighting_, mirror), share) +
           sunlight * static_cast<float>(gloss * 12 * highlight);
  }

  const Scene& scene_;
  const Lighting& lighting_;
  const double pixel_angle_;
};

// Whether an eye would see a step between two neighbours that show different surfaces.
bool is_edge(int surface, int other_surface, const Color& color, const Color& other_color) {
  if (surface == other_surface) return false;
  const Color step = color - other_color;
  return std::abs(step[0]) + std::abs(step[1]) + std::abs(step[2]) > 0.08F;
}

// Pixels to the left and right of, above and below an edge.
cv::Mat1b find_edges(const cv::Mat1i& surfaces, const cv::Mat3f& radiance) {
  cv::Mat1b edges(surfaces.size(), uchar{0});
  const auto mark = [&](cv::Point a, cv::Point b) {
    if (is_edge(surfaces(a), surfaces(b), radiance(a), radiance(b))) edges(a) = edges(b) = 1;
  };
  for (int v = 0; v < surfaces.rows; ++v) {
    for (int u = 0; u < surfaces.cols; ++u) {
      if (u + 1 < surfaces.cols) mark({u, v}, {u + 1, v});
      if (v + 1 < surfaces.rows) mark({u, v}, {u, v + 1});
    }
  }
  return edges;
}

// Averages each edge pixel over its centre and three points around it.
void smooth_edges(const Shader& shader, const Camera& camera, const cv::Mat1b& edges,
                  cv::Mat3f& radiance) {
  constexpr std::array<std::array<double, 2>, 3> kOffsets{
      {{-0.37, -0.21}, {0.37, -0.21}, {0.0, 0.42}}};
  for (int v = 0; v < edges.rows; ++v) {
    for (int u = 0; u < edges.cols; ++u) {
      if (edges(v, u) == 0) continue;
      Color sum = radiance(v, u);
      for (const auto& [du, dv] : kOffsets) {
        if (const auto ray = camera.ray(u + du, v + dv)) sum += shader.sample(*ray).color;
      }
      radiance(v, u) = sum * (1.0F / (1 + kOffsets.size()));
    }
  }
}

// sRGB's curve as 8-bit values of radiance 0..1.
class ToneCurve {
 public:
  ToneCurve() {
    for (size_t i = 0; i < table_.size(); ++i) {
      const float x = static_cast<float>(i) / (table_.size() - 1);
      table_[i] = 255 * (x <= 0.0031308F ? 12.92F * x : 1.055F * std::pow(x, 1 / 2.4F) - 0.055F);
    }
  }

  float operator()(float radiance) const {
    const float position = std::clamp(radiance, 0.0F, 1.0F) * (table_.size() - 1);
    return table_[static_cast<size_t>(std::lround(position))];
  }

 private:
  std::array<float, 4096> table_;
};

// Grain of the three channels with standard deviation 1: each the sum of two 10-bit numbers.
Color grain(uint64_t bits) {
  const auto value = [](uint64_t two) {
    const auto sum = static_cast<float>((two & 1023) + (two >> 10 & 1023));
    return (sum / 1023 - 1) * 2.4494897F;
  };
  return {value(bits), value(bits >> 20), value(bits >> 40)};
}

cv::Mat develop(const cv::Mat3f& radiance, const Sensor& sensor) {
  static const ToneCurve curve;
  cv::Mat3b rgb(radiance.size());
  const double corner = std::hypot(rgb.cols, rgb.rows) / 2;
  for (int v = 0; v < rgb.rows; ++v) {
    RandomStream random({sensor.seed, static_cast<uint64_t>(v)});
    for (int u = 0; u < rgb.cols; ++u) {
      const double x = (u - rgb.cols / 2.0) / corner, y = (v - rgb.rows / 2.0) / corner;
      const float gain =
          sensor.exposure * (1 - sensor.vignette * static_cast<float>(x * x + y * y));
      const Color noise = grain(random.next()) * sensor.noise;
      for (int c = 0; c < 3; ++c) {
        rgb(v, u)[c] = cv::saturate_cast<uchar>(curve(radiance(v, u)[c] * gain) + noise[c]);
      }
    }
  }
  return rgb;
}

}  // namespace

Rendering render(const Scene& scene, const Camera& camera, const Sensor& sensor) {
  const Shader shader(scene, camera);
  cv::Mat3f radiance(camera.size, Color(0, 0, 0));
  cv::Mat1d depth(camera.size, 0.0);
  cv::Mat1d distance(camera.size, 0.0);
  cv::Mat1i objects(camera.size, Rendering::kNoObject);
  cv::Mat1i surfaces(camera.size, static_cast<int>(kSky));
  for (int v = 0; v < camera.size.height; ++v) {
    for (int u = 0; u < camera.size.width; ++u) {
      const auto ray = camera.ray(u, v);
      if (!ray) continue;
      const Sample sample = shader.sample(*ray);
      radiance(v, u) = sample.color;
      depth(v, u) = camera.depth_along(*ray, sample.distance);
      distance(v, u) = sample.distance;
      objects(v, u) = sample.object;
      surfaces(v, u) = static_cast<int>(sample.surface);
    }
  }
  smooth_edges(shader, camera, find_edges(surfaces, radiance), radiance);
  return {develop(radiance, sensor), depth, distance, objects};
}

double depth_at(const Scene& scene, const Camera& camera, double u, double v) {
  const auto ray = camera.ray(u, v);
  if (!ray) return 0;
  const auto hit = scene.nearest(*ray);
  return hit ? camera.depth_along(*ray, hit->distance) : 0;
}

}  // namespace dualdepth::synthetic
