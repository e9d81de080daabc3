"""How far the depth of 8-bit files lies from that of the float file, all in ONNX Runtime, over all pixels.

    python bench/peer/int8_depth.py FLOAT.onnx PICTURES FILE.onnx ... [--most 64] [--json OUT.json]

A file's name ends in _channel or _tensor, the granularity of its weights; a name that begins with "dualdepth" is ours, and
-float-head before that says that the integer head stays float. The last lines compare our mean difference with the least one
of the others of the same granularity and the same head.
"""

import argparse
import json
import pathlib
import statistics
import time

import numpy as np
import onnxruntime
from int8_pictures import contract_of, metres, read_pictures


def run(file, pictures, contract):
    """Depth of all pictures and the median ms of one on two threads."""
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 2
    options.log_severity_level = 3
    session = onnxruntime.InferenceSession(file, options, providers=["CPUExecutionProvider"])
    names = [output.name for output in session.get_outputs()]
    depths, times = [], []
    for picture in pictures:
        start = time.perf_counter()
        outputs = session.run(names, {contract["input"]["name"]: picture})
        times.append(1000 * (time.perf_counter() - start))
        depths.append(metres(dict(zip(names, outputs)), contract))
    return np.concatenate(depths), statistics.median(times)


def difference(depth, reference):
    away = 1000 * np.abs(depth - reference)
    ratio = np.maximum(depth, reference) / np.maximum(np.minimum(depth, reference), 1e-9)
    return {"mean_mm": float(away.mean()), "median_mm": float(np.median(away)),
            "within_1_25": float((ratio < 1.25).mean()), "within_1_05": float((ratio < 1.05).mean())}


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("float")
    parser.add_argument("pictures")
    parser.add_argument("files", nargs="+")
    parser.add_argument("--most", type=int, default=64)
    parser.add_argument("--json")
    arguments = parser.parse_args()
    contract = contract_of(arguments.float)
    pictures = read_pictures(arguments.pictures, arguments.most, contract)
    reference, float_ms = run(arguments.float, pictures, contract)
    rows = []
    for file in arguments.files:
        depth, ms = run(file, pictures, contract)
        name, weights = pathlib.Path(file).stem.rsplit("_", 1)
        rows.append({"quantizer": name, "weights": weights, **difference(depth, reference), "ms": ms})
    rows.sort(key=lambda row: (row["weights"], row["mean_mm"]))
    print(f"{'quantizer':<36} {'weights':<8} {'mean mm':>9} {'median mm':>10} {'in 1.25':>8} {'in 1.05':>8} {'ms':>7}")
    for row in rows:
        print(f"{row['quantizer']:<36} {row['weights']:<8} {row['mean_mm']:>9.2f} {row['median_mm']:>10.2f} "
              f"{row['within_1_25']:>8.4f} {row['within_1_05']:>8.4f} {row['ms']:>7.1f}")
    result = {"pictures": len(pictures), "float_ms": float_ms, "rows": rows, "ratio_to_best_peer": {}}
    for weights in sorted({row["weights"] for row in rows}):
        for head in ("8-bit head", "float head"):
            alike = [row for row in rows
                     if row["weights"] == weights and row["quantizer"].endswith("-float-head") == (head == "float head")]
            ours = [row["mean_mm"] for row in alike if row["quantizer"].startswith("dualdepth")]
            peers = [row for row in alike if not row["quantizer"].startswith("dualdepth")]
            if not ours or not peers:
                continue
            best = min(peers, key=lambda row: row["mean_mm"])
            ratio = min(ours) / best["mean_mm"]
            result["ratio_to_best_peer"][f"{weights}, {head}"] = ratio
            print(f"per {weights}, {head}: our mean is {ratio:.2f} times that of the best other ({best['quantizer']})")
    if arguments.json:
        pathlib.Path(arguments.json).write_text(json.dumps(result, indent=2) + "\n")


if __name__ == "__main__":
    main()
