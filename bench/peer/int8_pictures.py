"""Pictures and metres of a file, as its contract describes them (config/contract.h)."""

import json
import pathlib

import numpy as np
import onnx
from PIL import Image

FORMAT_VERSION = 2


def contract_of(file):
    metadata = {entry.key: entry.value for entry in onnx.load(file).metadata_props}
    contract = json.loads(metadata.get("dualdepth", "{}"))
    if contract.get("format_version") != FORMAT_VERSION:
        raise SystemExit(f"{file}: expected a contract of format {FORMAT_VERSION}, got {contract.get('format_version')}; "
                         "write the file with dualdepth export")
    return contract


def read_pictures(folder, most, contract):
    """`most` pictures evenly spread over the folder, each as the network's input takes it."""
    files = sorted(f for f in pathlib.Path(folder).rglob("*") if f.suffix in (".png", ".jpg", ".jpeg"))
    if not files:
        raise SystemExit(f"{folder}: expected pictures (.png, .jpg), found none")
    if len(files) > most:
        files = [files[i * len(files) // most] for i in range(most)]
    spec = contract["input"]
    if spec["type"] != "float32" or spec["layout"] != "NCHW":
        raise SystemExit(f"expected an input of float32 in NCHW, got {spec['type']} in {spec['layout']}")
    height, width = spec["size"]
    low, high = spec["range"]
    pictures = []
    for file in files:
        picture = Image.open(file).convert("RGB")
        if picture.size != (width, height):
            picture = picture.resize((width, height), Image.BILINEAR)
        values = np.asarray(picture, np.float32)[:, :, ::1 if spec["channels"] == "RGB" else -1]
        values = (low + (high - low) * values / 255 - spec["mean"]) / spec["std"]
        pictures.append(np.ascontiguousarray(values.transpose(2, 0, 1)[None], np.float32))
    return pictures


def metres(outputs, contract):
    """Depth of a file's outputs by name; the formulas are those of contract.h and codec/depth_codec.h."""
    values = {spec["is"]: spec["scale"] * outputs[name].astype(np.float64) + spec["shift"]
              for name, spec in contract["outputs"].items()}
    codec = contract["codec"]
    near, far = codec["min_depth"], codec["max_depth"]
    if "depth" in values:
        return values["depth"]
    if "depth_logit" in values:
        return near + (far - near) / (1 + np.exp(-values["depth_logit"]))
    if "inverse_depth" in values:
        return 1 / np.clip(values["inverse_depth"], 1 / far, 1 / near)
    level = values["level"] if "level" in values else values["logits"].argmax(1, keepdims=True)
    return decode(level, values["fraction"], codec)


def decode(level, fraction, codec):
    levels, near, far = codec["n_integer_levels"], codec["min_depth"], codec["max_depth"]
    if codec["codec"] in ("rounded", "continuous"):
        return np.clip(level / (levels - 1) * far + fraction, 0, far + 1)
    if codec["codec"] == "reflected":
        fraction = np.where(level % 2 == 0, fraction, 1 - fraction)
    place = (level + fraction) / levels
    if codec["spacing"] == "log":
        depth = near * (far / near) ** place
    elif codec["spacing"] == "inverse":
        depth = 1 / (1 / near - place * (1 / near - 1 / far))
    else:
        depth = near + (far - near) * place
    return np.clip(depth, near, far)
