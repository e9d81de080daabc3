"""Golden values of protocol_test.cpp: every protocol on two real frames.

python3 tests/metrics/protocol_golden.py KITTI_MINI

The prediction is made by a formula at 192x640, so that it is resized, and exceeds every cap:
    120 exp(-3 y / 192) (1 + 0.3 sin(x / 40)),  x, y the column and row
"""

import pathlib
import sys

import numpy as np

from reference_evaluation import PROTOCOLS, metrics_of, read_depth_png, select

FRAMES = [
    ("none", "train/2011_09_26_drive_0001_sync/proj_depth/groundtruth/image_02/0000000010.png"),
    ("median", "val/2011_09_26_drive_0018_sync/proj_depth/groundtruth/image_02/0000000046.png"),
]


def main(kitti_mini):
    y, x = np.mgrid[0:192, 0:640].astype(np.float64)
    prediction = (120 * np.exp(-3 * y / 192) * (1 + 0.3 * np.sin(x / 40))).astype(np.float32)
    for protocol in PROTOCOLS:
        for scaling, path in FRAMES:
            truth = read_depth_png(kitti_mini / "depth" / path)
            p, g, scale = select(protocol, prediction, truth, scaling)
            numbers = ", ".join(f"{value:.8g}" for value in metrics_of(p, g).values())
            print(f'{{"{protocol}", k{scaling.title()}, {len(g)}, {scale:.8g}, {{{numbers}}}}},')


if __name__ == "__main__":
    main(pathlib.Path(sys.argv[1]))
