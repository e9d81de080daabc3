"""Pictures and metres of an exported file, as its own metadata ("dualdepth") describes them."""

import json
import pathlib

import numpy as np
import onnx
from PIL import Image


def card_of(file):
    return json.loads({p.key: p.value for p in onnx.load(file).metadata_props}["dualdepth"])


def read_pictures(folder, most, card):
    """`most` pictures evenly spread over the folder, float32 [1, 3, H, W] in 0..1 each."""
    files = sorted(f for f in pathlib.Path(folder).rglob("*") if f.suffix in (".png", ".jpg", ".jpeg"))
    if not files:
        raise SystemExit(f"{folder}: expected pictures (.png, .jpg), found none")
    if len(files) > most:
        files = [files[i * len(files) // most] for i in range(most)]
    height, width = card["data"]["image_shape"]
    pictures = []
    for file in files:
        picture = Image.open(file).convert("RGB")
        if picture.size != (width, height):
            picture = picture.resize((width, height), Image.BILINEAR)
        pictures.append(np.asarray(picture, np.float32).transpose(2, 0, 1)[None] / 255)
    return pictures


def metres(outputs, params):
    """Depth of a file's outputs by name; the formulas are those of codec/depth_codec.h."""
    if "depth" in outputs:
        return outputs["depth"].astype(np.float64)
    level = outputs["level"].astype(np.float64)
    fraction = outputs["fraction"].astype(np.float64)
    levels, near, far = params["n_integer_levels"], params["min_depth"], params["max_depth"]
    if params["codec"] in ("rounded", "continuous"):
        return np.clip(level / (levels - 1) * far + fraction, 0, far + 1)
    if params["codec"] == "reflected":
        fraction = np.where(level % 2 == 0, fraction, 1 - fraction)
    place = (level + fraction) / levels
    if params["spacing"] == "log":
        depth = near * (far / near) ** place
    elif params["spacing"] == "inverse":
        depth = 1 / (1 / near - place * (1 / near - 1 / far))
    else:
        depth = near + (far - near) * place
    return np.clip(depth, near, far)
