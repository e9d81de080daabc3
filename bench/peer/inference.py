"""The network of train_step.py from picture to metres in PyTorch, as dualdepth is compared with it.

    python bench/peer/inference.py [--threads 2] [VARIANT ...]

Variants, in float32 but for the last:

    plain     softmax over the 256 levels, argmax of it, as the original pipeline does
    argmax    without the softmax, which changes no winner
    frozen    argmax; batch norm folded, channels-last, torch.jit.trace, freeze and optimize_for_inference
    compiled  argmax; channels-last, torch.compile (needs a C++ compiler)
    bfloat16  frozen, in bfloat16 (torch.autocast)

Prints a line `NAME median-ms min-ms` for each, measured in turns, so that a slow moment of the machine meets all of them,
and `peak_mb X`. A variant that cannot run here prints `NAME failed` with the reason on standard error.
"""

import argparse
import resource
import statistics
import sys
import time
import warnings

import torch
from torch import nn

from train_step import LEVELS, MAX_DEPTH, MIN_DEPTH, DepthNet


VARIANTS = ("plain", "argmax", "frozen", "compiled", "bfloat16")


class Predictor(nn.Module):
    """Picture to metres."""

    def __init__(self, with_softmax=False):
        super().__init__()
        self.net = DepthNet().eval()
        self.with_softmax = with_softmax

    def forward(self, image):
        logits, fraction = self.net(image, bf16=False)
        if self.with_softmax:
            logits = torch.softmax(logits, 1)
        level = logits.argmax(1, keepdim=True)
        fraction = fraction.sigmoid()
        within = torch.where(level % 2 == 0, fraction, 1 - fraction)
        return MIN_DEPTH + (level + within) * ((MAX_DEPTH - MIN_DEPTH) / LEVELS)


def make(variant, image):
    """A function of the picture, with weights that are the same for all variants."""
    torch.manual_seed(0)
    predictor = Predictor(with_softmax=variant == "plain").eval()
    if variant in ("plain", "argmax"):
        return lambda: predictor(image)
    predictor = predictor.to(memory_format=torch.channels_last)
    image = image.contiguous(memory_format=torch.channels_last)
    if variant == "compiled":
        compiled = torch.compile(predictor)
        return lambda: compiled(image)
    with torch.autocast("cpu", torch.bfloat16, enabled=variant == "bfloat16", cache_enabled=False):
        frozen = torch.jit.freeze(torch.jit.trace(predictor, image, check_trace=False))
    frozen = torch.jit.optimize_for_inference(frozen)
    return lambda: frozen(image)


def main():
    parser = argparse.ArgumentParser(usage=__doc__)
    parser.add_argument("--height", type=int, default=192)
    parser.add_argument("--width", type=int, default=640)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--runs", type=int, default=15)
    parser.add_argument("--warmup", type=int, default=5)
    parser.add_argument("variants", nargs="*", default=VARIANTS)
    arguments = parser.parse_args()

    warnings.filterwarnings("ignore", category=FutureWarning)  # torch.jit is deprecated
    torch.set_num_threads(arguments.threads)
    torch.set_flush_denormal(True)
    image = torch.rand(1, 3, arguments.height, arguments.width)
    runs, times = {}, {}
    with torch.inference_mode():
        for variant in arguments.variants:
            try:
                run = make(variant, image)
                for _ in range(arguments.warmup):
                    run()
                runs[variant], times[variant] = run, []
            except Exception as error:  # pylint: disable=broad-except
                print(f"{variant}: {error}", file=sys.stderr)
                print(f"{variant} failed")
        for _ in range(arguments.runs):
            for variant, run in runs.items():
                start = time.perf_counter()
                run()
                times[variant].append(1000 * (time.perf_counter() - start))
    for variant, taken in times.items():
        print(f"{variant} {statistics.median(taken):.2f} {min(taken):.2f}")
    print(f"peak_mb {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024:.0f}")


if __name__ == "__main__":
    main()
