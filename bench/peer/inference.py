"""The original pipeline's inference as a plain PyTorch script: what dualdepth is held against.

The network of train_step.py in float32, softmax over the 256 levels, argmax of it, sigmoid of the
fraction, metres. Prints `latency_ms X` (median) and `peak_mb X`.

    python bench/peer/inference.py --threads 2
"""

import argparse
import resource
import statistics
import time

import torch

from train_step import LEVELS, MAX_DEPTH, MIN_DEPTH, DepthNet


def predict(net, image):
    logits, fraction = net(image, bf16=False)
    level = torch.softmax(logits, 1).argmax(1, keepdim=True)
    fraction = fraction.sigmoid()
    within = torch.where(level % 2 == 0, fraction, 1 - fraction)
    return MIN_DEPTH + (level + within) * ((MAX_DEPTH - MIN_DEPTH) / LEVELS)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--height", type=int, default=192)
    parser.add_argument("--width", type=int, default=640)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--runs", type=int, default=10)
    parser.add_argument("--warmup", type=int, default=3)
    arguments = parser.parse_args()

    torch.manual_seed(0)
    torch.set_num_threads(arguments.threads)
    net = DepthNet().eval()
    image = torch.rand(1, 3, arguments.height, arguments.width)
    times = []
    with torch.inference_mode():
        for run in range(arguments.warmup + arguments.runs):
            start = time.perf_counter()
            predict(net, image)
            if run >= arguments.warmup:
                times.append(1000 * (time.perf_counter() - start))
    print(f"latency_ms {statistics.median(times):.2f}")
    print(f"peak_mb {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024:.0f}")


if __name__ == "__main__":
    main()
