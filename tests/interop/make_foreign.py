"""Writes small depth networks that this program did not train.

make_foreign.py OUT: OUT/foreign_depth.onnx (kept in tests/runtime/data), OUT/foreign_bytes.onnx (the same place), and
OUT/foreign_random.onnx with OUT/picture.png and OUT/expected.npy: the depth that ONNX Runtime computes of the picture.
"""

import pathlib
import sys

import numpy as np
import onnx
import onnxruntime
from onnx import TensorProto, helper, numpy_helper

MEAN = np.array([0.485, 0.456, 0.406], np.float32)
STD = np.array([0.229, 0.224, 0.225], np.float32)


def save(path, nodes, inputs, outputs, constants):
    graph = helper.make_graph(nodes, path.stem, inputs, outputs,
                              [numpy_helper.from_array(value, name) for name, value in constants.items()])
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 13)], ir_version=8)
    onnx.checker.check_model(model, full_check=True)
    onnx.save(model, path)


def depth_network(path, first, first_bias, last, last_bias):
    """3x3 convolution of stride 2, Relu, nearest upsampling, 1x1 convolution; ImageNet's normalization outside."""
    nodes = [
        helper.make_node("Conv", ["pixel_values", "w1", "b1"], ["x1"], name="/stem/Conv", kernel_shape=[3, 3],
                         strides=[2, 2], pads=[1, 1, 1, 1]),
        helper.make_node("Relu", ["x1"], ["x2"], name="/stem/Relu"),
        helper.make_node("Resize", ["x2", "", "scales"], ["x3"], name="/up/Resize", mode="nearest",
                         coordinate_transformation_mode="asymmetric", nearest_mode="floor"),
        helper.make_node("Conv", ["x3", "w2", "b2"], ["predicted_depth"], name="/head/Conv", kernel_shape=[1, 1]),
    ]
    save(path, nodes, [helper.make_tensor_value_info("pixel_values", TensorProto.FLOAT, ["N", 3, 32, 64])],
         [helper.make_tensor_value_info("predicted_depth", TensorProto.FLOAT, ["N", 1, 32, 64])],
         {"w1": first, "b1": first_bias, "w2": last, "b2": last_bias,
          "scales": np.array([1, 1, 2, 2], np.float32)})


def bytes_network(path):
    """Inverse depth 0.001 B + 0.002 G + 0.003 R of four pictures of bytes, BGR, channels last."""
    nodes = [
        helper.make_node("Cast", ["bytes"], ["x"], to=TensorProto.FLOAT),
        helper.make_node("MatMul", ["x", "w"], ["disparity"]),
    ]
    save(path, nodes, [helper.make_tensor_value_info("bytes", TensorProto.UINT8, [4, 32, 64, 3])],
         [helper.make_tensor_value_info("disparity", TensorProto.FLOAT, [4, 32, 64, 1])],
         {"w": np.array([[0.001], [0.002], [0.003]], np.float32)})


def write_png(path, rgb):
    """An 8-bit PNG without any library."""
    import struct
    import zlib

    def chunk(kind, data):
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    height, width, _ = rgb.shape
    rows = b"".join(b"\0" + row.tobytes() for row in rgb)
    path.write_bytes(b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)) +
                     chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b""))


def main():
    out = pathlib.Path(sys.argv[1])
    # Red, green, blue and negative red at the center of the window; depth is 10 + 2 r + 3 g + 4 b + relu(-r).
    first = np.zeros((4, 3, 3, 3), np.float32)
    for channel, (color, sign) in enumerate([(0, 1), (1, 1), (2, 1), (0, -1)]):
        first[channel, color, 1, 1] = sign
    last = np.array([2, 3, 4, 1], np.float32).reshape(1, 4, 1, 1)
    depth_network(out / "foreign_depth.onnx", first, np.zeros(4, np.float32), last, np.array([10], np.float32))
    bytes_network(out / "foreign_bytes.onnx")

    rng = np.random.default_rng(3)
    depth_network(out / "foreign_random.onnx", rng.normal(0, 0.3, (16, 3, 3, 3)).astype(np.float32),
                  rng.normal(0, 0.2, 16).astype(np.float32), rng.uniform(0, 1, (1, 16, 1, 1)).astype(np.float32),
                  np.array([2], np.float32))
    rgb = rng.integers(0, 256, (32, 64, 3), dtype=np.uint8)
    write_png(out / "picture.png", rgb)
    image = ((rgb.astype(np.float32) / 255 - MEAN) / STD).transpose(2, 0, 1)[None]
    session = onnxruntime.InferenceSession(out / "foreign_random.onnx")
    np.save(out / "expected.npy", session.run(None, {"pixel_values": image})[0][0, 0])


if __name__ == "__main__":
    main()
