#!/usr/bin/env python3
"""Writes three networks that this program did not train, as their authors would export them, and pictures.

    make_networks.py FOLDER

FOLDER/unet.onnx          MobileNetV2's inverted residuals, ReLU6, transposed convolutions with skips; depth in metres
FOLDER/bilinear.onnx      Hardswish, squeeze and excitation, bilinear upsampling; depth in metres
FOLDER/segmentation.onnx  dilated convolutions, pyramid pooling, bilinear upsampling, ArgMax over 12 classes
FOLDER/NAME.json          the card of each
FOLDER/calibration, FOLDER/held_out   pictures
FOLDER/pictures.npz       the same as the networks take them, calibration_I and held_out_I

Weights are random (seeded, He's initialization); the statistics of each batch normalization are those of the
calibration pictures, so that values have the ranges of a trained network.
"""

import json
import pathlib
import sys
import warnings

import numpy as np
import torch
from PIL import Image
from torch import nn
from torch.nn import functional

HEIGHT, WIDTH = 96, 160
CLASSES = 12
MEAN, STD = [0.485, 0.456, 0.406], [0.229, 0.224, 0.225]


def conv_bn(inputs, outputs, kernel=3, stride=1, groups=1, dilation=1, activation=nn.ReLU6):
    padding = dilation * (kernel - 1) // 2
    layers = [nn.Conv2d(inputs, outputs, kernel, stride, padding, dilation, groups, bias=False), nn.BatchNorm2d(outputs)]
    return nn.Sequential(*layers, activation()) if activation else nn.Sequential(*layers)


class InvertedResidual(nn.Module):
    """Sandler et al., MobileNetV2: Inverted Residuals and Linear Bottlenecks, 2018."""

    def __init__(self, inputs, outputs, stride, expansion, activation=nn.ReLU6):
        super().__init__()
        hidden = inputs * expansion
        self.adds = stride == 1 and inputs == outputs
        layers = [conv_bn(inputs, hidden, 1, activation=activation)] if expansion != 1 else []
        self.conv = nn.Sequential(*layers, conv_bn(hidden, hidden, 3, stride, groups=hidden, activation=activation),
                                  conv_bn(hidden, outputs, 1, activation=None))

    def forward(self, x):
        return x + self.conv(x) if self.adds else self.conv(x)


class MobileEncoder(nn.Module):
    """Maps of stride 2, 4, 8 and 16."""

    CHANNELS = [16, 24, 32, 64]

    def __init__(self):
        super().__init__()
        self.stem = nn.Sequential(conv_bn(3, 32, 3, 2), InvertedResidual(32, 16, 1, 1))
        self.stages = nn.ModuleList([
            nn.Sequential(InvertedResidual(16, 24, 2, 6), InvertedResidual(24, 24, 1, 6)),
            nn.Sequential(InvertedResidual(24, 32, 2, 6), InvertedResidual(32, 32, 1, 6)),
            nn.Sequential(InvertedResidual(32, 64, 2, 6), InvertedResidual(64, 64, 1, 6)),
        ])

    def forward(self, x):
        maps = [self.stem(x)]
        for stage in self.stages:
            maps.append(stage(maps[-1]))
        return maps


class MobileUNet(nn.Module):
    def __init__(self):
        super().__init__()
        self.encoder = MobileEncoder()
        sizes = MobileEncoder.CHANNELS
        self.ups = nn.ModuleList(nn.ConvTranspose2d(sizes[i], sizes[i - 1], 4, 2, 1) for i in (3, 2, 1))
        self.fuses = nn.ModuleList(InvertedResidual(2 * sizes[i - 1], sizes[i - 1], 1, 2) for i in (3, 2, 1))
        self.last = nn.ConvTranspose2d(16, 16, 2, 2)
        self.head = nn.Conv2d(16, 1, 3, padding=1)

    def raw(self, x):
        maps = self.encoder(x)
        y = maps[-1]
        for up, fuse, skip in zip(self.ups, self.fuses, reversed(maps[:-1])):
            y = fuse(torch.cat([up(y), skip], 1))
        return self.head(functional.relu6(self.last(y)))

    def forward(self, x):
        return functional.softplus(self.raw(x))


class SqueezeExcitation(nn.Module):
    def __init__(self, channels):
        super().__init__()
        self.reduce = nn.Conv2d(channels, channels // 4, 1)
        self.expand = nn.Conv2d(channels // 4, channels, 1)

    def forward(self, x):
        gate = functional.adaptive_avg_pool2d(x, 1)
        return x * functional.hardsigmoid(self.expand(functional.relu(self.reduce(gate))))


class BilinearDepth(nn.Module):
    def __init__(self):
        super().__init__()
        act = nn.Hardswish
        self.down = nn.ModuleList([
            conv_bn(3, 24, 3, 2, activation=act),
            nn.Sequential(conv_bn(24, 40, 3, 2, activation=act), SqueezeExcitation(40)),
            nn.Sequential(conv_bn(40, 64, 3, 2, activation=act), SqueezeExcitation(64), conv_bn(64, 64)),
        ])
        self.up = nn.ModuleList([conv_bn(64 + 40, 40, activation=nn.ReLU), conv_bn(40 + 24, 24, activation=nn.ReLU)])
        self.head = nn.Conv2d(24, 1, 3, padding=1)

    def raw(self, x):
        maps = [x]
        for stage in self.down:
            maps.append(stage(maps[-1]))
        y = maps[-1]
        for up, skip in zip(self.up, (maps[2], maps[1])):
            y = functional.interpolate(y, scale_factor=2, mode="bilinear", align_corners=False)
            y = up(torch.cat([y, skip], 1))
        return functional.interpolate(self.head(y), size=x.shape[2:], mode="bilinear", align_corners=True)

    def forward(self, x):
        return self.raw(x).clamp(0.5, 80)


class Segmentation(nn.Module):
    def __init__(self):
        super().__init__()
        self.body = nn.Sequential(conv_bn(3, 32, 3, 2, activation=nn.ReLU), nn.MaxPool2d(3, 2, 1),
                                  conv_bn(32, 64, activation=nn.ReLU), conv_bn(64, 64, dilation=2, activation=nn.ReLU))
        self.pyramid = nn.ModuleList([conv_bn(64, 32, 1, activation=nn.ReLU),
                                      conv_bn(64, 32, dilation=3, activation=nn.ReLU),
                                      conv_bn(64, 32, dilation=5, groups=4, activation=nn.ReLU)])
        self.pooled = nn.Conv2d(64, 32, 1)
        self.project = conv_bn(128, 64, 1, activation=nn.LeakyReLU)
        self.head = nn.Conv2d(64, CLASSES, 1)

    def raw(self, x):
        y = self.body(x)
        pooled = functional.relu(self.pooled(functional.adaptive_avg_pool2d(y, 1)))
        maps = [branch(y) for branch in self.pyramid] + [pooled.expand(-1, -1, y.shape[2], y.shape[3])]
        logits = self.head(self.project(torch.cat(maps, 1)))
        return functional.interpolate(logits, size=x.shape[2:], mode="bilinear", align_corners=False)

    def forward(self, x):
        return self.raw(x).argmax(1, keepdim=True)


def picture(rng):
    """Sky, road and boxes with texture, bytes [H, W, 3]."""
    rows = np.linspace(0, 1, HEIGHT)[:, None, None]
    sky, road = rng.uniform(0.4, 1, 3), rng.uniform(0.1, 0.6, 3)
    horizon = rng.uniform(0.35, 0.55)
    image = np.where(rows < horizon, sky * (1 - 0.5 * rows), road * (0.6 + 0.6 * rows)) * np.ones((1, WIDTH, 1))
    for _ in range(8):
        x, y = rng.integers(0, WIDTH - 20), rng.integers(int(horizon * HEIGHT) - 20, HEIGHT - 20)
        w, h = rng.integers(8, 40), rng.integers(8, 40)
        image[y:y + h, x:x + w] = rng.uniform(0, 1, 3)
    noise = rng.normal(0, 1, (HEIGHT // 4, WIDTH // 4, 1)).repeat(4, 0).repeat(4, 1)
    image = image + 0.06 * noise + 0.03 * rng.normal(0, 1, image.shape)
    return (image.clip(0, 1) * 255).round().astype(np.uint8)


def to_input(pictures):
    x = torch.from_numpy(np.stack(pictures)).permute(0, 3, 1, 2).float() / 255
    return (x - torch.tensor(MEAN).view(3, 1, 1)) / torch.tensor(STD).view(3, 1, 1)


def make(kind, pictures):
    torch.manual_seed(5)
    network = kind()
    for module in network.modules():
        if isinstance(module, (nn.Conv2d, nn.ConvTranspose2d)):
            nn.init.kaiming_normal_(module.weight, mode="fan_in")
        if isinstance(module, nn.BatchNorm2d):
            module.momentum = None  # the mean over all batches
            nn.init.uniform_(module.weight, 0.5, 1.5)
            nn.init.normal_(module.bias, 0, 0.2)
    x = to_input(pictures)
    with torch.no_grad():
        for batch in x.split(4):
            network.train()(batch)
        network.eval()
        if kind is not Segmentation:  # depth of 20 m on average, give or take 7
            raw = network.raw(x)
            network.head.weight.mul_(7 / raw.std())
            network.head.bias.copy_(20 + (network.head.bias - raw.mean()) * 7 / raw.std())
        else:  # each class as often as another
            raw = network.raw(x)
            network.head.bias.sub_(raw.mean((0, 2, 3)))
    return network


def export(network, path, output, opset):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        torch.onnx.export(network, (torch.zeros(1, 3, HEIGHT, WIDTH),), path, input_names=["pixels"],
                          output_names=[output], opset_version=opset, dynamo=False)


def main():
    folder = pathlib.Path(sys.argv[1])
    torch.set_num_threads(1)
    rng = np.random.default_rng(11)
    arrays = {}
    pictures = {}
    for part, count in (("calibration", 16), ("held_out", 6)):
        (folder / part).mkdir(parents=True, exist_ok=True)
        pictures[part] = [picture(rng) for _ in range(count)]
        for i, one in enumerate(pictures[part]):
            Image.fromarray(one).save(folder / part / f"{i:03}.png")
            arrays[f"{part}_{i}"] = to_input([one]).numpy()
    np.savez(folder / "pictures.npz", **arrays)
    card = {"format_version": 2, "input": {"name": "pixels", "mean": MEAN, "std": STD}}
    depth = {**card, "outputs": {"depth": {"is": "depth"}}, "codec": {"min_depth": 0.5, "max_depth": 80}}
    classes = {**card, "outputs": {"classes": {"is": "level"}},
               "codec": {"codec": "step", "n_integer_levels": CLASSES, "min_depth": 1, "max_depth": 13}}
    for name, kind, output, contract, opset in (("unet", MobileUNet, "depth", depth, 13),
                                                ("bilinear", BilinearDepth, "depth", depth, 17),
                                                ("segmentation", Segmentation, "classes", classes, 13)):
        export(make(kind, pictures["calibration"]), folder / f"{name}.onnx", output, opset)
        (folder / f"{name}.json").write_text(json.dumps(contract, indent=1))


if __name__ == "__main__":
    main()
