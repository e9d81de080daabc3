"""The loader's peer: PyTorch's DataLoader with Pillow and NumPy, doing what build/bench/loader does.

Per sample: decode the picture (a JPEG at a half, a quarter or an eighth where that is still large
enough: Image.draft, as dualdepth does), resize it (bilinear with antialiasing), decode the depth PNG, scatter
it to the network's size (nearest surface wins), flip with probability 0.5, jitter brightness,
contrast, saturation and hue with probability 0.5, turn into a float tensor. Prints the same lines; a
core is a second of CPU time of the process and its workers.
"""

import argparse
import multiprocessing
import os
import random
import time
from pathlib import Path

import numpy as np
import torch
from PIL import Image, ImageEnhance

CLOCK_TICKS = os.sysconf("SC_CLK_TCK")


def first_existing(*paths):
    for path in paths:
        if path.exists():
            return path
    raise FileNotFoundError(paths[0])


class Kitti(torch.utils.data.Dataset):
    def __init__(self, root, split, height, width, augment):
        self.size = (width, height)
        self.augment = augment
        self.samples = []
        for line in Path(split).read_text().splitlines():
            drive, frame, side = line.split()
            camera = "image_02" if side == "l" else "image_03"
            stem = root / "raw" / drive / camera / "data" / f"{int(frame):010d}"
            below = Path(drive).name + f"/proj_depth/groundtruth/{camera}/{int(frame):010d}.png"
            self.samples.append((
                first_existing(stem.with_suffix(".jpg"), stem.with_suffix(".png")),
                first_existing(root / "depth/train" / below, root / "depth/val" / below)))

    def __len__(self):
        return len(self.samples)

    def __getitem__(self, index):
        picture, depth_file = self.samples[index]
        image = Image.open(picture)
        image.draft("RGB", self.size)
        image = image.convert("RGB").resize(self.size, Image.BILINEAR)
        depth = self.scatter(np.asarray(Image.open(depth_file)))
        if self.augment and random.random() < 0.5:
            image = image.transpose(Image.FLIP_LEFT_RIGHT)
            depth = depth[:, ::-1]
        if self.augment and random.random() < 0.5:
            image = jitter(image)
        rgb = np.asarray(image, dtype=np.float32) / 255
        return (torch.from_numpy(np.ascontiguousarray(rgb.transpose(2, 0, 1))),
                torch.from_numpy(np.ascontiguousarray(depth)))

    def scatter(self, units):
        width, height = self.size
        rows, columns = np.nonzero(units)
        metres = units[rows, columns].astype(np.float32) / 256
        target = ((2 * rows + 1) * height // (2 * units.shape[0]) * width +
                  (2 * columns + 1) * width // (2 * units.shape[1]))
        depth = np.full(height * width, np.inf, np.float32)
        np.minimum.at(depth, target, metres)
        depth[np.isinf(depth)] = 0
        return depth.reshape(height, width)


def jitter(image):
    image = ImageEnhance.Brightness(image).enhance(random.uniform(0.8, 1.2))
    image = ImageEnhance.Contrast(image).enhance(random.uniform(0.8, 1.2))
    image = ImageEnhance.Color(image).enhance(random.uniform(0.8, 1.2))
    hue, saturation, value = image.convert("HSV").split()
    turned = np.asarray(hue) + np.uint8(random.randint(-13, 13) % 256)
    return Image.merge("HSV", (Image.fromarray(turned), saturation, value)).convert("RGB")


def cpu_seconds():
    """User and system time of this process and of the workers that are alive."""
    total = 0
    for pid in [os.getpid(), *(child.pid for child in multiprocessing.active_children())]:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
        total += int(fields[11]) + int(fields[12])
    return total / CLOCK_TICKS


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--root", type=Path, required=True)
    parser.add_argument("--split", required=True)
    parser.add_argument("--height", type=int, default=192)
    parser.add_argument("--width", type=int, default=640)
    parser.add_argument("--batch", type=int, default=4)
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--epochs", type=int, default=5)
    parser.add_argument("--no-augmentation", action="store_true")
    args = parser.parse_args()

    torch.set_num_threads(1)
    dataset = Kitti(args.root, args.split, args.height, args.width, not args.no_augmentation)
    loader = torch.utils.data.DataLoader(
        dataset, batch_size=args.batch, shuffle=True, num_workers=args.workers,
        persistent_workers=args.workers > 0)
    for _ in loader:  # warms the page cache and starts the workers
        pass
    wall, cpu = time.perf_counter(), cpu_seconds()
    samples = 0
    for _ in range(args.epochs):
        for image, _ in loader:
            samples += len(image)
    wall, cpu = time.perf_counter() - wall, cpu_seconds() - cpu
    print(f"samples {samples}")
    print(f"samples_per_s {samples / wall:.1f}")
    print(f"samples_per_s_per_core {samples / cpu:.1f}")
    print(f"cpu_ms_per_sample {1000 * cpu / samples:.3f}")


if __name__ == "__main__":
    main()
