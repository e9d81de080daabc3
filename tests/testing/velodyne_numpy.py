"""Ground truth from velodyne sweeps in NumPy, for the scripts that make golden values."""

import numpy as np


def read_calibration(file):
    values = {}
    for line in file.read_text().splitlines():
        key, _, rest = line.partition(":")
        try:
            values[key] = np.array([float(word) for word in rest.split()])
        except ValueError:
            pass  # calib_time holds a date
    return values


def projection_matrix(date_folder, camera):
    """[3, 4]: velodyne coordinates to homogeneous pixels of camera 2 or 3."""
    cameras = read_calibration(date_folder / "calib_cam_to_cam.txt")
    velodyne = read_calibration(date_folder / "calib_velo_to_cam.txt")
    to_camera, rectify = np.eye(4), np.eye(4)
    to_camera[:3, :3] = velodyne["R"].reshape(3, 3)
    to_camera[:3, 3] = velodyne["T"]
    rectify[:3, :3] = cameras["R_rect_00"].reshape(3, 3)
    return cameras[f"P_rect_0{camera}"].reshape(3, 4) @ rectify @ to_camera


def nearest_at(rows, columns, metres, shape):
    """Depth map in which the nearest of the points that fall on one pixel wins; 0: none."""
    depth = np.full(shape, np.inf)
    np.minimum.at(depth, (rows, columns), metres)
    depth[np.isinf(depth)] = 0
    return depth


def project_velodyne(date_folder, sweep, camera, shape, variant):
    """official: depth along the camera's axis. eigen, the published evaluation: 1 is subtracted
    after rounding, and depth is the scanner's x."""
    points = np.fromfile(sweep, np.float32).reshape(-1, 4).astype(np.float64)
    points = points[points[:, 0] >= 0]
    forward = points[:, 0].copy()
    points[:, 3] = 1
    image = points @ projection_matrix(date_folder, camera).T
    front = image[:, 2] > 0
    image, forward = image[front], forward[front]
    shift = 1 if variant == "eigen" else 0
    u = np.round(image[:, 0] / image[:, 2]).astype(np.int64) - shift
    v = np.round(image[:, 1] / image[:, 2]).astype(np.int64) - shift
    metres = forward if variant == "eigen" else image[:, 2]
    inside = (u >= 0) & (v >= 0) & (u < shape[1]) & (v < shape[0])
    return nearest_at(v[inside], u[inside], metres[inside], shape)
