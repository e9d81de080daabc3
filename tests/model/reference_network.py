"""The network in PyTorch: torchvision's or timm's encoder, and the decoder from the paper's description.

usage: reference_network.py FOLDER ENCODER...

ENCODER is a value of model.encoder. FOLDER/ENCODER.in holds the weights of a DepthNet with heads at
scales 0 and 1 (encoder.*, decoder.*) and `image`. FOLDER/ENCODER.out gets encoder_0..4 and, for both
scales, integer_S and fraction_S (logits).
"""

import sys

import timm
import torch
import torchvision
from safetensors.torch import load_file, save_file
from torch import nn
from torch.nn import functional as F


class ResNet(nn.Module):
    def __init__(self, name):
        super().__init__()
        self.network = torchvision.models.get_model(name)
        del self.network.fc

    def forward(self, x):
        net = self.network
        features = [net.relu(net.bn1(net.conv1(x)))]
        x = net.maxpool(features[0])
        for layer in (net.layer1, net.layer2, net.layer3, net.layer4):
            x = layer(x)
            features.append(x)
        return features


class MobileNet(nn.Module):
    """The last map of each size."""

    def __init__(self, name):
        super().__init__()
        self.network = torchvision.models.get_model(name)
        del self.network.classifier
        self.network.features = self.network.features[:-1]

    def forward(self, x):
        maps = {}
        for module in self.network.features:
            x = module(x)
            maps[x.shape[2]] = x
        return list(maps.values())


class EfficientNet(nn.Module):
    def __init__(self, name):
        super().__init__()
        self.network = timm.create_model(name, features_only=True)

    def forward(self, x):
        return self.network(x)


def make_encoder(name):
    if name.startswith("resnet"):
        return ResNet(name)
    return MobileNet(name) if name.startswith("mobilenet") else EfficientNet(name)


def decode(weights, features):
    def conv3x3(name, x):
        depthwise = weights.get(f"decoder.{name}.depthwise.weight")
        if depthwise is not None:
            x = F.conv2d(x, depthwise, padding=1, groups=x.shape[1])
            return F.conv2d(x, weights[f"decoder.{name}.pointwise.weight"],
                            weights[f"decoder.{name}.pointwise.bias"])
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


def compute(name, source, target):
    weights = load_file(source)
    image = weights.pop("image")
    own = {key.removeprefix("encoder."): tensor for key, tensor in weights.items()
           if key.startswith("encoder.")}
    encoder = make_encoder(name).eval()
    encoder.network.load_state_dict(own, strict=True)
    with torch.no_grad():
        features = encoder((image - 0.45) / 0.225)
        results = {f"encoder_{i}": feature for i, feature in enumerate(features)}
        results |= decode(weights, features)
    save_file({name: tensor.contiguous() for name, tensor in results.items()}, target)


if __name__ == "__main__":
    for encoder in sys.argv[2:]:
        compute(encoder, f"{sys.argv[1]}/{encoder}.in", f"{sys.argv[1]}/{encoder}.out")
