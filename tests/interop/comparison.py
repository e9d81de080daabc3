"""What an exported file says, held against the checkpoint's result.

A pixel's level must be the checkpoint's unless its two best logits are less than 1e-4 apart.
"""

import sys

import numpy as np
from safetensors.numpy import load_file

NEAR_TIE = 1e-4


def fail(message):
    sys.exit(f"expected {message}")


def pictures(expected, shape=None):
    """Keys of the pictures that a file for `shape` ([N, 3, H, W], entries may be None) can see."""
    for key in ("0", "1"):
        image = expected[f"image_{key}"]
        fits = shape is None or all(want in (None, got) for want, got in zip(shape[1:], image.shape[1:]))
        if fits:
            yield key, image


def hold(expected, key, rows, outputs, mode, depth_limit, fraction_limit):
    """outputs: name -> array for the pictures `rows` of image_`key`."""
    def want(name):
        return expected[f"{name}_{key}"][rows]

    clear = want("gap") > NEAR_TIE if f"gap_{key}" in expected else np.ones(want("depth").shape, bool)
    if clear.mean() < 0.9:
        fail(f"clear winners, got {clear.mean():.3f}")
    if mode in ("depth", "position"):
        # A position counts levels of the 256 between 0.1 and 80 m.
        got = outputs["depth"][:, 0] if mode == "depth" else 0.1 + outputs["position"].sum(1) * (79.9 / 256)
        worst = np.abs(got - want("depth"))[clear].max()
        if worst > depth_limit:
            fail(f"depth to {depth_limit} m, got {worst}")
        return
    worst = np.abs(outputs["fraction"][:, 0] - want("fraction")).max()
    if worst > fraction_limit:
        fail(f"fraction to {fraction_limit}, got {worst}")
    if mode == "levels":
        level = outputs["level"][:, 0]
    else:
        level = outputs["logits"].argmax(1)
    wrong = (level != want("level"))[clear].sum()
    if wrong:
        fail(f"equal levels, got {wrong} others")
    if mode == "logits":
        worst = np.abs(outputs["logits"] - want("logits")).max()
        scale = np.abs(want("logits")).max()
        if worst > 1e-5 * scale:
            fail(f"logits to 1e-5 of {scale}, got {worst}")
    if mode == "centred" and (outputs["logits"].min() != 0 or want("logits").min() >= 0):
        fail("losing logits that end at 0")


def read(file):
    return load_file(file)
