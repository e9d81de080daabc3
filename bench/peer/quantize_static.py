"""ONNX Runtime's own quantizer as it comes, and the depth error of 8-bit files in ONNX Runtime.

    python bench/peer/quantize_static.py quantize FLOAT.onnx PICTURES OUT.onnx [--per-tensor] [--ranges minmax]
    python bench/peer/quantize_static.py measure FLOAT.onnx PICTURES FILE.onnx ... [--most 64]

`quantize`: quantize_static with uint8 values and int8 filters; ranges by minmax, entropy or percentile. `measure`: |depth - depth of FLOAT| over all
pixels of pictures that are evenly spread over the folder, and the median time of a picture on two threads.
"""

import argparse
import json
import logging
import pathlib
import statistics
import time

import numpy as np
import onnx
import onnxruntime
from onnxruntime.quantization import CalibrationDataReader, CalibrationMethod, QuantFormat, QuantType, quantize_static
from PIL import Image

logging.disable(logging.WARNING)
RANGES = {"minmax": CalibrationMethod.MinMax, "entropy": CalibrationMethod.Entropy,
          "percentile": CalibrationMethod.Percentile}


def files_of(folder, most):
    files = sorted(f for f in pathlib.Path(folder).rglob("*") if f.suffix in (".png", ".jpg", ".jpeg"))
    return [files[i * len(files) // most] for i in range(most)] if len(files) > most else files


def read(file, card):
    height, width = card["input"]["size"]
    picture = Image.open(file).convert("RGB")
    if picture.size != (width, height):
        picture = picture.resize((width, height), Image.BILINEAR)
    return np.asarray(picture, np.float32).transpose(2, 0, 1)[None] / 255


def card_of(file):
    return json.loads({p.key: p.value for p in onnx.load(file).metadata_props}["dualdepth"])


class Reader(CalibrationDataReader):
    def __init__(self, pictures):
        self.rest = iter(pictures)

    def get_next(self):
        picture = next(self.rest, None)
        return None if picture is None else {"image": picture}


def quantize(arguments):
    card = card_of(arguments.float)
    pictures = (read(file, card) for file in files_of(arguments.pictures, arguments.most))
    quantize_static(arguments.float, arguments.files[0], Reader(pictures), quant_format=QuantFormat.QDQ,
                    per_channel=not arguments.per_tensor, activation_type=QuantType.QUInt8,
                    weight_type=QuantType.QInt8, calibrate_method=RANGES[arguments.ranges])


def metres(level, fraction, params):
    """Reflected codec: the fraction runs down in every other level, so that depth is continuous."""
    if params["codec"] != "reflected":
        raise SystemExit(f"expected the codec reflected, got {params['codec']}")
    place = (level + np.where(level % 2 == 0, fraction, 1 - fraction)) / params["n_integer_levels"]
    near, far = params["min_depth"], params["max_depth"]
    return near * (far / near) ** place if params["spacing"] == "log" else near + (far - near) * place


def run_all(file, pictures, params):
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 2
    options.log_severity_level = 3
    session = onnxruntime.InferenceSession(file, options, providers=["CPUExecutionProvider"])
    depths, levels, times = [], [], []
    for picture in pictures:
        start = time.perf_counter()
        level, fraction = session.run(["level", "fraction"], {"image": picture})
        times.append(1000 * (time.perf_counter() - start))
        levels.append(level)
        depths.append(metres(level, fraction, params))
    return np.concatenate(depths), np.concatenate(levels), statistics.median(times)


def measure(arguments):
    card = card_of(arguments.float)
    params = card["codec"]
    pictures = [read(file, card) for file in files_of(arguments.pictures, arguments.most)]
    wanted, wanted_level, ms = run_all(arguments.float, pictures, params)
    print(f"{'file':<28} {'mean mm':>9} {'median mm':>10} {'mean %':>8} {'equal':>7} {'shift':>7} {'ms':>7}")
    print(f"{pathlib.Path(arguments.float).stem:<28} {'':>9} {'':>10} {'':>8} {'':>7} {'':>7} {ms:>7.1f}")
    for file in arguments.files:
        depth, level, ms = run_all(file, pictures, params)
        apart = np.abs(depth - wanted)
        print(f"{pathlib.Path(file).stem:<28} {1000 * apart.mean():>9.2f} {1000 * np.median(apart):>10.2f} "
              f"{100 * (apart / np.maximum(depth, wanted)).mean():>8.3f} {(level == wanted_level).mean():>7.4f} "
              f"{(level - wanted_level).mean():>+7.3f} {ms:>7.1f}")


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("verb", choices=["quantize", "measure"])
    parser.add_argument("float")
    parser.add_argument("pictures")
    parser.add_argument("files", nargs="+")
    parser.add_argument("--most", type=int, default=64)
    parser.add_argument("--per-tensor", action="store_true")
    parser.add_argument("--ranges", choices=RANGES, default="minmax")
    arguments = parser.parse_args()
    {"quantize": quantize, "measure": measure}[arguments.verb](arguments)


if __name__ == "__main__":
    main()
