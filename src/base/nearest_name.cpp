#include "dualdepth/base/nearest_name.h"

#include <algorithm>
#include <vector>

namespace dualdepth {
namespace {

// Optimal string alignment: row i, column j hold the distance of the first i and j letters.
size_t edit_distance(std::string_view a, std::string_view b) {
  std::vector<std::vector<size_t>> distance(a.size() + 1, std::vector<size_t>(b.size() + 1));
  for (size_t i = 0; i <= a.size(); ++i) distance[i][0] = i;
  for (size_t j = 0; j <= b.size(); ++j) distance[0][j] = j;
  for (size_t i = 1; i <= a.size(); ++i) {
    for (size_t j = 1; j <= b.size(); ++j) {
      const size_t change = a[i - 1] == b[j - 1] ? 0 : 1;
      distance[i][j] = std::min(
          {distance[i - 1][j] + 1, distance[i][j - 1] + 1, distance[i - 1][j - 1] + change});
      if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1]) {
        distance[i][j] = std::min(distance[i][j], distance[i - 2][j - 2] + 1);
      }
    }
  }
  return distance[a.size()][b.size()];
}

}  // namespace

std::string_view nearest_name(std::string_view name, std::span<const std::string_view> known) {
  constexpr size_t kLongestName = 64;
  if (name.size() > kLongestName) return {};
  std::string_view nearest;
  size_t smallest = kLongestName;
  for (const std::string_view candidate : known) {
    const size_t distance = edit_distance(name, candidate);
    const size_t allowed = std::max<size_t>(1, std::max(name.size(), candidate.size()) / 3);
    if (distance <= allowed && distance < smallest) {
      nearest = candidate;
      smallest = distance;
    }
  }
  return nearest;
}

std::string suggest_name(std::string_view name, std::span<const std::string_view> known) {
  const std::string_view nearest = nearest_name(name, known);
  if (!nearest.empty()) return "did you mean " + std::string(nearest) + "?";
  std::string list = "known: ";
  for (const std::string_view candidate : known) {
    if (candidate != known.front()) list += ", ";
    list += candidate;
  }
  return list;
}

}  // namespace dualdepth
