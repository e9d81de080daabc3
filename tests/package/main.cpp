#include <dualdepth/codec/depth_codec.h>

#include <cstdio>

int main() {
  const dualdepth::DepthCodec codec{dualdepth::CodecOptions{}};
  const torch::Tensor depth = torch::tensor({1.5, 12.25, 60.0});
  const dualdepth::CodecTargets heads = codec.encode(depth);
  const double error =
      (codec.decode(heads.level, heads.fraction) - depth).abs().max().item<double>();
  std::printf("worst round trip: %.2e m\n", error);
  return error < 1e-4 ? 0 : 1;
}
