"""Prints the numbers that the tests of the data room hold, computed with NumPy and Pillow alone.

usage: data_golden.py SHARED      (the folder that holds kitti_mini)
"""

import sys
from pathlib import Path

import numpy as np
from PIL import Image

sys.path.append(str(Path(__file__).parent.parent / "testing"))
from velodyne_numpy import nearest_at, project_velodyne  # noqa: E402

MINI = Path(sys.argv[1]) / "kitti_mini"
DATE = MINI / "raw/2011_09_26"
DRIVE = DATE / "2011_09_26_drive_0005_sync"
HEIGHT, WIDTH = 375, 1242
TARGET_HEIGHT, TARGET_WIDTH = 192, 640


def print_velodyne():
    print("velodyne_depth_test: sweep, camera, variant, pixels, sum of depths, one pixel (v, u, metres)")
    for frame in ("0000000000", "0000000050", "0000000100", "0000000150"):
        for camera, variant in ((2, "official"), (2, "eigen"), (3, "official")):
            sweep = DRIVE / f"velodyne_points/data/{frame}.bin"
            depth = project_velodyne(DATE, sweep, camera, (HEIGHT, WIDTH), variant)
            rows, columns = np.nonzero(depth)
            middle = len(rows) // 2
            v, u = rows[middle], columns[middle]
            print(f'  {{"{frame}", {camera}, {variant}, {len(rows)}, {depth.sum():.3f}, '
                  f"{v}, {u}, {depth[v, u]:.6f}}},")


def scatter(depth, height, width):
    source_height, source_width = depth.shape
    rows, columns = np.nonzero(depth)
    target_rows = np.floor((rows + 0.5) * height / source_height).astype(np.int64)
    target_columns = np.floor((columns + 0.5) * width / source_width).astype(np.int64)
    return nearest_at(target_rows, target_columns, depth[rows, columns], (height, width))


def print_scatter():
    print("resize_test, scatter_depth: drive, frame, pixels before, after, sum after, one (y, x, metres)")
    for drive, frame in (("0001", "0000000005"), ("0013", "0000000010")):
        file = MINI / (f"depth/train/2011_09_26_drive_{drive}_sync/proj_depth/groundtruth/image_02/"
                       f"{frame}.png")
        depth = np.asarray(Image.open(file)).astype(np.float64) / 256
        target = scatter(depth, TARGET_HEIGHT, TARGET_WIDTH)
        rows, columns = np.nonzero(target)
        middle = len(rows) // 2
        y, x = rows[middle], columns[middle]
        print(f'  {{"{drive}", "{frame}", {np.count_nonzero(depth)}, {len(rows)}, '
              f"{target.sum():.4f}, {y}, {x}, {target[y, x]:.6f}}},")


def area_weights(source, target):
    """[target, source]: the share of each source pixel in the mean of the area a target pixel covers."""
    weights = np.zeros((target, source))
    factor = source / target
    for i in range(target):
        low, high = i * factor, (i + 1) * factor
        for j in range(int(low), min(int(np.ceil(high)), source)):
            weights[i, j] = min(high, j + 1) - max(low, j)
    return weights / weights.sum(axis=1, keepdims=True)


def print_area():
    rgb = np.asarray(Image.open(DRIVE / "image_02/data/0000000000.png")).astype(np.float64)
    rows = area_weights(HEIGHT, TARGET_HEIGHT)
    columns = area_weights(WIDTH, TARGET_WIDTH)
    small = np.einsum("yi,ijc,xj->yxc", rows, rgb, columns, optimize=True)
    print("resize_test, resize_rgb: (y, x, r, g, b), then the mean of each channel")
    for y, x in ((0, 0), (50, 321), (100, 7), (150, 500), (191, 639)):
        print("  {" + f"{y}, {x}, " + ", ".join(f"{value:.3f}" for value in small[y, x]) + "},")
    print("  " + ", ".join(f"{value:.4f}" for value in small.mean(axis=(0, 1))))


def luma(rgb):
    return rgb @ np.array([0.299, 0.587, 0.114])


def jitter(rgb, mean, brightness, contrast, saturation, hue):
    """Step by step, each as its own formula says."""
    rgb = rgb * brightness
    rgb = contrast * rgb + (1 - contrast) * luma(mean * brightness)
    rgb = saturation * rgb + (1 - saturation) * luma(rgb)
    y = luma(rgb)
    i = rgb @ np.array([0.596, -0.274, -0.322])
    q = rgb @ np.array([0.211, -0.523, 0.312])
    chroma = (i + 1j * q) * np.exp(2j * np.pi * hue)
    basis = np.array([[0.299, 0.587, 0.114], [0.596, -0.274, -0.322], [0.211, -0.523, 0.312]])
    return np.linalg.solve(basis, np.array([y, chroma.real, chroma.imag]))


def print_jitter():
    print("augmentation_test: in (r, g, b), out (r, g, b)")
    mean = np.array([0.35, 0.4, 0.45])
    for rgb in ((0.5, 0.5, 0.5), (0.8, 0.2, 0.1), (0.1, 0.6, 0.9)):
        out = jitter(np.array(rgb), mean, 1.1, 0.9, 1.2, 0.04)
        print(f"  {rgb} -> " + ", ".join(f"{value:.6f}" for value in out))


print_velodyne()
print_scatter()
print_area()
print_jitter()
