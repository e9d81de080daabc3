"""Evaluates predicted depth of KITTI frames in NumPy, independently of the program.

python3 tests/metrics/reference_evaluation.py --root RAW --split FILE --protocol NAME
    --predictions DIR [--depth-root DIR] [--scaling median]

Reads what `dualdepth predict --format npy` writes (or files named by a sample's id) for the lines
`date/drive frame l|r` of a split, and prints JSON: {"protocol", "summary", "pooled", "num_samples",
"per_sample": [{"id", metrics}]}. protocol_golden.py makes golden values with its functions.
"""

import argparse
import json
import pathlib
import sys

import numpy as np
from PIL import Image

sys.path.append(str(pathlib.Path(__file__).parent.parent / "testing"))
from velodyne_numpy import project_velodyne  # noqa: E402

PROTOCOLS = {
    # ground truth, crop, smallest and largest truth (both exclusive), clamp of predictions
    "eigen-garg": ("velodyne", "garg", 1e-3, 80, (1e-3, 80)),
    "eigen-annotated": ("annotated", "garg", 1e-3, 80, (1e-3, 80)),
    "eigen-kb-garg": ("annotated", "kb-garg", 1e-3, 80, (1e-3, 80)),
    "eigen-crop": ("annotated", "eigen", 1e-3, 80, (1e-3, 80)),
    "eigen-crop-50": ("annotated", "eigen", 1e-3, 50, (1e-3, 50)),
    "benchmark": ("annotated", None, 0, np.inf, (1 / 256, 65535 / 256)),
    "ncdb": (None, None, 0.5, 15, (0.5, 15)),
}


def crop_mask(crop, height, width):
    mask = np.zeros((height, width), bool)
    if crop is None:
        mask[:] = True
    elif crop == "kb-garg":
        top, left = height - 352, int((width - 1216) / 2)
        mask[top : top + 352, left : left + 1216] = crop_mask("garg", 352, 1216)
    else:
        shares = {
            "garg": [0.40810811 * height, 0.99189189 * height, 0.03594771 * width, 0.96405229 * width],
            "eigen": [0.3324324 * height, 0.91351351 * height, 0.0359477 * width, 0.96405229 * width],
        }[crop]
        top, bottom, left, right = np.array(shares).astype(np.int32)
        mask[top:bottom, left:right] = True
    return mask


def resize_bilinear(image, height, width):
    """Pixel centres at halves, borders repeated."""

    def axis(target, source):
        place = np.clip((np.arange(target) + 0.5) * source / target - 0.5, 0, source - 1)
        low = np.floor(place).astype(int)
        return low, np.minimum(low + 1, source - 1), place - low

    y0, y1, fy = axis(height, image.shape[0])
    x0, x1, fx = axis(width, image.shape[1])
    image = image.astype(np.float64)
    rows = image[y0] * (1 - fy)[:, None] + image[y1] * fy[:, None]
    return rows[:, x0] * (1 - fx) + rows[:, x1] * fx


def metrics_of(p, g):
    e = np.log(p) - np.log(g)
    ratio = np.maximum(p / g, g / p)
    return {
        "abs_rel": np.mean(np.abs(p - g) / g),
        "sq_rel": np.mean((p - g) ** 2 / g),
        "rmse": np.sqrt(np.mean((p - g) ** 2)),
        "rmse_log": np.sqrt(np.mean(e**2)),
        "log10": np.mean(np.abs(np.log10(p) - np.log10(g))),
        "silog": 100 * np.sqrt(np.mean(e**2) - np.mean(e) ** 2),
        "irmse": np.sqrt(np.mean((1000 / p - 1000 / g) ** 2)),
        "mae": np.mean(np.abs(p - g)),
        "d1": np.mean(ratio < 1.25),
        "d2": np.mean(ratio < 1.25**2),
        "d3": np.mean(ratio < 1.25**3),
        "abs_error_rel": 100 * np.mean(np.abs(p - g) / g),
        "sq_error_rel": 100 * np.mean(((p - g) / g) ** 2),
    }


def select(protocol, prediction, truth, scaling="none"):
    """Pairs (p, g) of the pixels that count, and the factor of median scaling."""
    _, crop, low, high, clamp = PROTOCOLS[protocol]
    if prediction.shape != truth.shape:
        prediction = resize_bilinear(prediction, *truth.shape)
    mask = (truth > low) & (truth < high) & crop_mask(crop, *truth.shape)
    p, g = prediction[mask].astype(np.float64), truth[mask].astype(np.float64)
    scale = 1.0
    if scaling == "median" and len(g):
        scale = np.median(g) / np.median(p)
        p = p * scale
    return np.clip(p, *clamp), g, scale


def read_depth_png(path):
    return np.asarray(Image.open(path)).astype(np.float64) / 256


def annotated_depth(depth_root, drive, frame, side):
    camera = {"l": "image_02", "r": "image_03"}[side]
    for part in ("train", "val", "."):
        path = depth_root / part / drive / "proj_depth/groundtruth" / camera / f"{frame:010d}.png"
        if path.exists():
            return read_depth_png(path)
    raise FileNotFoundError(f"no annotated depth of {drive} {frame:010d} below {depth_root}")


def find_prediction(folder, date, drive, camera, frame):
    for inner in (f"{camera}/data", camera):
        path = folder / date / drive / inner / f"{frame:010d}.npy"
        if path.exists():
            return np.load(path)
    raise FileNotFoundError(f"no prediction of {date}/{drive}/{camera}/{frame:010d} in {folder}")


def evaluate(arguments):
    rows, all_p, all_g = [], [], []
    truth_kind = PROTOCOLS[arguments.protocol][0]
    for line in arguments.split.read_text().split("\n"):
        if not line.strip():
            continue
        folder, frame, side = line.split()
        date, drive = folder.split("/")
        frame, camera = int(frame), {"l": "image_02", "r": "image_03"}[side]
        prediction = find_prediction(arguments.predictions, date, drive, camera, frame)
        if truth_kind == "velodyne":
            image = next((arguments.root / folder / camera / "data").glob(f"{frame:010d}.*"))
            shape = Image.open(image).size[::-1]
            sweep = arguments.root / folder / f"velodyne_points/data/{frame:010d}.bin"
            number = {"l": 2, "r": 3}[side]
            truth = project_velodyne(arguments.root / date, sweep, number, shape, "eigen")
        else:
            truth = annotated_depth(arguments.depth_root, drive, frame, side)
        p, g, _ = select(arguments.protocol, prediction, truth, arguments.scaling)
        if len(g) == 0:
            continue
        rows.append({"id": f"{date}/{drive}/{camera}/{frame:010d}"} | metrics_of(p, g))
        all_p.append(p)
        all_g.append(g)
    names = [name for name in rows[0] if name != "id"]
    return {
        "protocol": arguments.protocol,
        "summary": {name: float(np.mean([row[name] for row in rows])) for name in names},
        "pooled": {
            name: float(value)
            for name, value in metrics_of(np.concatenate(all_p), np.concatenate(all_g)).items()
        },
        "num_samples": len(rows),
        "per_sample": [
            {name: value if name == "id" else float(value) for name, value in row.items()}
            for row in rows
        ],
    }


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--root", type=pathlib.Path, required=True)
    parser.add_argument("--depth-root", type=pathlib.Path)
    parser.add_argument("--split", type=pathlib.Path, required=True)
    parser.add_argument("--protocol", choices=PROTOCOLS, required=True)
    parser.add_argument("--predictions", type=pathlib.Path, required=True)
    parser.add_argument("--scaling", choices=["none", "median"], default="none")
    given = parser.parse_args()
    given.depth_root = given.depth_root or given.root.parent / "depth"
    print(json.dumps(evaluate(given), indent=1))
