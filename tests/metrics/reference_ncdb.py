"""Makes a small NCDB tree with predictions, and judges them in NumPy, independently of the program.

python3 tests/metrics/reference_ncdb.py FOLDER

FOLDER gets `root` (two sequences, one with the level synced_data; one stem in both; PNG and JPEG;
masks; class masks), `split.json` (both kinds of entry), and one folder of predictions for each kind
of file: `npy` (half size), `npz_depth`, `npz_heads` (for --max-depth 15). Prints JSON: the summary,
bins and classes that `dualdepth eval --protocol ncdb --use-mask --classes` is held against, for all
three the same but for what half size costs: {"npy": {...}, "npz": {...}}.
"""

import json
import pathlib
import sys

import numpy as np
from PIL import Image

from reference_evaluation import metrics_of, resize_bilinear

HEIGHT, WIDTH = 48, 80
SAMPLES = [  # sequence, folder of its data, stem, extension
    ("garage/a", "garage/a", "0001", "png"),
    ("garage/a", "garage/a", "frame_2", "jpg"),
    ("street", "street/synced_data", "0001", "jpg"),
]
BINS = [(0.5, 1), (1, 3), (3, 5), (5, 15)]


def write(path, array, **options):
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(array).save(path, **options)


def judged(pairs):
    p, g = np.concatenate([p for p, _ in pairs]), np.concatenate([g for _, g in pairs])
    return ({k: float(v) for k, v in metrics_of(p, g).items()} if len(g) else {}) | {"pixels": len(g)}


def main(folder):
    random = np.random.default_rng(7)
    root = folder / "root"
    rows = {"npy": [], "npz": []}
    bins = {kind: {f"{low:g}-{high:g}": [] for low, high in BINS} for kind in rows}
    classes = {kind: {"car": [], "pillar": []} for kind in rows}
    instances = {"car": 0, "pillar": 0}
    mask = np.ones((HEIGHT, WIDTH), np.uint8)
    mask[:, :7] = 0
    for sequence, data, stem, extension in SAMPLES:
        write(root / data / "image_a6" / f"{stem}.{extension}",
              random.integers(0, 256, (HEIGHT, WIDTH, 3), dtype=np.uint8))
        stored = np.where(random.random((HEIGHT, WIDTH)) < 0.3,
                          np.exp(random.uniform(np.log(0.2), np.log(25), (HEIGHT, WIDTH))) * 256, 0)
        stored = stored.astype(np.uint16)
        stored[3, 20], stored[4, 20], stored[5, 20] = 128, 256, 15 * 256  # edges of range and bins
        write(root / data / "newest_original_depth_maps" / f"{stem}.png", stored)
        truth = stored / 256
        cars = np.zeros((2, HEIGHT, WIDTH), np.uint8)
        cars[0, 5:20, 10:30], cars[1, 15:30, 25:50] = 255, 255
        pillar = np.zeros((HEIGHT, WIDTH), np.uint8)
        pillar[:, 60:64] = 1
        for name, masks in (("car", cars), ("pillar", pillar[None])):
            for i, instance in enumerate(masks):
                write(root / data / "segmentation_results/class_masks" / name / f"{stem}_{i}.png",
                      instance)

        full = (truth.clip(0.2, 25) * random.uniform(0.7, 1.3, truth.shape)).astype(np.float32)
        half = np.exp(random.uniform(np.log(0.3), np.log(20), (HEIGHT // 2, WIDTH // 2)))
        half = half.astype(np.float32)
        integer = np.floor(full) / 15
        for name, arrays in (("npy", half), ("npz_depth", {"depth": full[None, None]}),
                             ("npz_heads", {"integer_sigmoid": integer[None, None],
                                            "fractional_sigmoid": (full - integer * 15)[None, None]})):
            path = folder / name / sequence / stem
            path.parent.mkdir(parents=True, exist_ok=True)
            if name == "npy":
                np.save(path, arrays)
            else:
                (np.savez if name == "npz_depth" else np.savez_compressed)(path, **arrays)

        counts = (truth > 0.5) & (truth < 15) & (mask != 0)
        for name, masks in (("car", cars), ("pillar", pillar[None])):
            instances[name] += sum(bool((counts & (i != 0)).any()) for i in masks)
        for kind, prediction in (("npy", resize_bilinear(half, HEIGHT, WIDTH)),
                                 ("npz", full.astype(np.float64))):
            prediction = prediction.clip(0.5, 15)
            pick = lambda where: (prediction[where], truth[where])
            rows[kind].append(metrics_of(*pick(counts)))
            for low, high in BINS:
                bins[kind][f"{low:g}-{high:g}"].append(pick(counts & (truth >= low) & (truth < high)))
            classes[kind]["car"].append(pick(counts & cars.any(axis=0)))
            classes[kind]["pillar"].append(pick(counts & (pillar != 0)))
    Image.fromarray(mask).save(root / "garage/a/binary_mask.png")
    Image.fromarray(mask * 255).save(root / "binary_mask.png")
    split = [{"dataset_root": "garage/a", "new_filename": "0001"},
             {"image_path": "garage/a/image_a6/frame_2.jpg"},
             {"dataset_root": "street", "new_filename": "0001", "further": 1}]
    (folder / "split.json").write_text(json.dumps(split))
    print(json.dumps({kind: {
        "summary": {name: float(np.mean([row[name] for row in rows[kind]])) for name in rows[kind][0]},
        "bins": {name: judged(pairs) for name, pairs in bins[kind].items()},
        "classes": {name: judged(pairs) | {"instances": instances[name]}
                    for name, pairs in classes[kind].items()},
    } for kind in rows}))


if __name__ == "__main__":
    main(pathlib.Path(sys.argv[1]))
