"""The network in plain PyTorch, written from the papers' descriptions and torchvision's names.

usage: reference_network.py IN.safetensors OUT.safetensors

IN holds the weights of a DepthNet with heads at scales 0 and 1 (encoder.*, decoder.*) and `image`.
OUT gets encoder_0..4 and, for both scales, integer_S and fraction_S (logits).
"""

import sys

import torch
from safetensors.torch import load_file, save_file
from torch import nn
from torch.nn import functional as F


def conv(inputs, outputs, kernel, stride):
    return nn.Conv2d(inputs, outputs, kernel, stride, kernel // 2, bias=False)


class Block(nn.Module):
    """Basic block (two 3x3) or bottleneck (1x1, 3x3, 1x1 to four times the width)."""

    def __init__(self, inputs, width, stride, bottleneck):
        super().__init__()
        outputs = 4 * width if bottleneck else width
        plan = (
            [(inputs, width, 1, 1), (width, width, 3, stride), (width, outputs, 1, 1)]
            if bottleneck
            else [(inputs, width, 3, stride), (width, width, 3, 1)]
        )
        self.count = len(plan)
        for i, layer in enumerate(plan, start=1):
            setattr(self, f"conv{i}", conv(*layer))
            setattr(self, f"bn{i}", nn.BatchNorm2d(layer[1]))
        if stride != 1 or inputs != outputs:
            self.downsample = nn.Sequential(
                conv(inputs, outputs, 1, stride), nn.BatchNorm2d(outputs)
            )

    def forward(self, x):
        y = x
        for i in range(1, self.count + 1):
            y = getattr(self, f"bn{i}")(getattr(self, f"conv{i}")(y))
            if i < self.count:
                y = F.relu(y)
        return F.relu(y + (self.downsample(x) if hasattr(self, "downsample") else x))


class Encoder(nn.Module):
    def __init__(self, blocks, bottleneck):
        super().__init__()
        self.conv1 = conv(3, 64, 7, 2)
        self.bn1 = nn.BatchNorm2d(64)
        inputs = 64
        for i, count in enumerate(blocks):
            width = 64 * 2**i
            layer = []
            for k in range(count):
                layer.append(Block(inputs, width, 2 if i > 0 and k == 0 else 1, bottleneck))
                inputs = 4 * width if bottleneck else width
            setattr(self, f"layer{i + 1}", nn.Sequential(*layer))

    def forward(self, x):
        features = [F.relu(self.bn1(self.conv1(x)))]
        x = F.max_pool2d(features[0], 3, 2, 1)
        for i in range(1, 5):
            x = getattr(self, f"layer{i}")(x)
            features.append(x)
        return features


def decode(weights, features):
    def conv3x3(name, x):
        return F.conv2d(x, weights[f"decoder.{name}.weight"], weights[f"decoder.{name}.bias"],
                        padding=1)

    heads = {}
    x = features[4]
    for i in range(4, -1, -1):
        x = F.relu(conv3x3(f"upconv_{i}_0", x))
        x = F.interpolate(x, scale_factor=2, mode="nearest")
        if i > 0:
            x = torch.cat([x, features[i - 1]], 1)
        x = F.relu(conv3x3(f"upconv_{i}_1", x))
        if i < 2:
            heads[f"integer_{i}"] = conv3x3(f"head_{i}.integer", x)
            heads[f"fraction_{i}"] = conv3x3(f"head_{i}.fraction", x)[:, 0]
    return heads


def main():
    weights = load_file(sys.argv[1])
    image = weights.pop("image")
    own = {name.removeprefix("encoder."): tensor for name, tensor in weights.items()
           if name.startswith("encoder.")}
    bottleneck = "layer1.0.conv3.weight" in own
    deep = "layer1.2.conv1.weight" in own
    encoder = Encoder([3, 4, 6, 3] if deep else [2, 2, 2, 2], bottleneck).eval()
    encoder.load_state_dict(own, strict=True)
    with torch.no_grad():
        features = encoder((image - 0.45) / 0.225)
        results = {f"encoder_{i}": feature for i, feature in enumerate(features)}
        results |= decode(weights, features)
    save_file({name: tensor.contiguous() for name, tensor in results.items()}, sys.argv[2])


if __name__ == "__main__":
    main()
