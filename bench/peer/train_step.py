"""The training step of dualdepth's default network in PyTorch, as dualdepth is compared with it.

ResNet-18 encoder, U-Net decoder, an integer head of 256 channels and a fraction head, both over
the whole picture; soft labels, L1 on the fraction and SILog on the expected depth at the pixels
that have ground truth; AdamW. In channels-last with fused AdamW and denormal numbers flushed to
zero; --plain leaves these three out. Prints `img_per_s X` and `peak_mb X`.

    python bench/peer/train_step.py --batch 2 --density 0.05 [--bf16] [--plain]
"""

import argparse
import resource
import time

import torch
import torch.nn.functional as F
from torch import nn

LEVELS = 256
MIN_DEPTH = 0.1
MAX_DEPTH = 80.0


class BasicBlock(nn.Module):
    def __init__(self, inputs, outputs, stride):
        super().__init__()
        self.conv1 = nn.Conv2d(inputs, outputs, 3, stride, 1, bias=False)
        self.bn1 = nn.BatchNorm2d(outputs)
        self.conv2 = nn.Conv2d(outputs, outputs, 3, 1, 1, bias=False)
        self.bn2 = nn.BatchNorm2d(outputs)
        self.downsample = None
        if stride != 1 or inputs != outputs:
            self.downsample = nn.Sequential(
                nn.Conv2d(inputs, outputs, 1, stride, bias=False), nn.BatchNorm2d(outputs)
            )

    def forward(self, x):
        identity = x if self.downsample is None else self.downsample(x)
        x = F.relu(self.bn1(self.conv1(x)), inplace=True)
        return F.relu(self.bn2(self.conv2(x)) + identity, inplace=True)


class Encoder(nn.Module):
    channels = (64, 64, 128, 256, 512)

    def __init__(self):
        super().__init__()
        self.conv1 = nn.Conv2d(3, 64, 7, 2, 3, bias=False)
        self.bn1 = nn.BatchNorm2d(64)
        layers = []
        for i, outputs in enumerate(self.channels[1:]):
            stride = 1 if i == 0 else 2
            inputs = self.channels[i]
            layers.append(nn.Sequential(BasicBlock(inputs, outputs, stride), BasicBlock(outputs, outputs, 1)))
        self.layers = nn.ModuleList(layers)

    def forward(self, x):
        features = [F.relu(self.bn1(self.conv1(x)), inplace=True)]
        x = F.max_pool2d(features[0], 3, 2, 1)
        for layer in self.layers:
            x = layer(x)
            features.append(x)
        return features


class Decoder(nn.Module):
    channels = (16, 32, 64, 128, 256)

    def __init__(self, encoder_channels):
        super().__init__()
        self.before = nn.ModuleList()
        self.after = nn.ModuleList()
        inputs = encoder_channels[-1]
        for i in reversed(range(5)):
            skip = encoder_channels[i - 1] if i > 0 else 0
            self.before.append(nn.Conv2d(inputs, self.channels[i], 3, padding=1))
            self.after.append(nn.Conv2d(self.channels[i] + skip, self.channels[i], 3, padding=1))
            inputs = self.channels[i]
        self.integer = nn.Conv2d(inputs, LEVELS, 3, padding=1)
        self.fraction = nn.Conv2d(inputs, 1, 3, padding=1)

    def trunk(self, features):
        x = features[-1]
        skips = list(reversed(features[:-1])) + [None]
        for before, after, skip in zip(self.before, self.after, skips):
            x = F.interpolate(F.relu(before(x), inplace=True), scale_factor=2, mode="nearest")
            if skip is not None:
                x = torch.cat([x, skip], 1)
            x = F.relu(after(x), inplace=True)
        return x


class DepthNet(nn.Module):
    def __init__(self):
        super().__init__()
        self.encoder = Encoder()
        self.decoder = Decoder(Encoder.channels)

    def forward(self, image, bf16):
        with torch.autocast("cpu", torch.bfloat16, enabled=bf16):
            feature = self.decoder.trunk(self.encoder((image - 0.45) / 0.225))
        feature = feature.float()
        return self.decoder.integer(feature), self.decoder.fraction(feature)


def loss_of(integer_logits, fraction_logits, depth):
    valid = depth > 0
    logits = integer_logits.permute(0, 2, 3, 1)[valid]
    fraction = fraction_logits.squeeze(1)[valid].sigmoid()
    depth = depth[valid]
    x = (depth - MIN_DEPTH) / (MAX_DEPTH - MIN_DEPTH) * LEVELS
    level = x.floor().clamp(0, LEVELS - 1)
    remainder = x - level
    target = torch.where(level % 2 == 0, remainder, 1 - remainder)
    centres = torch.arange(LEVELS) + 0.5
    soft = torch.softmax(-((centres - x[:, None]) ** 2) / (2 * 2.0**2), 1)
    log_p = F.log_softmax(logits, 1)
    integer_loss = -(soft * log_p).sum(1).mean()
    fraction_loss = (fraction - target).abs().mean()
    expected = log_p.exp() @ (MIN_DEPTH + centres / LEVELS * (MAX_DEPTH - MIN_DEPTH))
    error = expected.log() - depth.log()
    silog = ((error**2).mean() - 0.85 * error.mean() ** 2).clamp_min(0).add(1e-8).sqrt()
    return integer_loss + 10 * fraction_loss + 0.5 * silog


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--batch", type=int, default=2)
    parser.add_argument("--density", type=float, default=0.05)
    parser.add_argument("--height", type=int, default=192)
    parser.add_argument("--width", type=int, default=640)
    parser.add_argument("--bf16", action="store_true")
    parser.add_argument("--plain", action="store_true")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--steps", type=int, default=8)
    parser.add_argument("--warmup", type=int, default=2)
    arguments = parser.parse_args()

    torch.manual_seed(0)
    torch.set_num_threads(arguments.threads)
    net = DepthNet().train()
    image = torch.rand(arguments.batch, 3, arguments.height, arguments.width)
    if not arguments.plain:
        torch.set_flush_denormal(True)
        net = net.to(memory_format=torch.channels_last)
        image = image.contiguous(memory_format=torch.channels_last)
    optimizer = torch.optim.AdamW(net.parameters(), lr=2e-4, weight_decay=0.01, fused=not arguments.plain)
    depth = 2 + 70 * torch.rand(arguments.batch, arguments.height, arguments.width)
    depth[torch.rand_like(depth) >= arguments.density] = 0
    for step in range(arguments.warmup + arguments.steps):
        if step == arguments.warmup:
            start = time.perf_counter()
        optimizer.zero_grad(set_to_none=True)
        loss = loss_of(*net(image, arguments.bf16), depth)
        loss.backward()
        optimizer.step()
    seconds = time.perf_counter() - start
    print(f"img_per_s {arguments.steps * arguments.batch / seconds:.3f}")
    print(f"peak_mb {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024:.0f}")


if __name__ == "__main__":
    main()
