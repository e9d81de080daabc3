"""usage: run_onnx.py EXPECTED.safetensors FILE.onnx RUNTIME-MODE [FILE.onnx ...]

RUNTIME is onnxruntime or openvino; MODE levels, logits, depth, position or centred (logits with a Relu behind).
"""

import sys

import comparison


def with_onnxruntime(file):
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1  # its threads spin while they wait, which slows the tests beside this one
    session = onnxruntime.InferenceSession(file, options, providers=["CPUExecutionProvider"])
    names = [output.name for output in session.get_outputs()]
    shape = [size if isinstance(size, int) else None for size in session.get_inputs()[0].shape]
    return shape, lambda image: dict(zip(names, session.run(names, {"image": image})))


def with_openvino(file):
    import openvino

    core = openvino.Core()
    model = core.compile_model(file, "CPU", {"INFERENCE_PRECISION_HINT": "f32", "INFERENCE_NUM_THREADS": 1})
    shape = [None if size.is_dynamic else size.get_length() for size in model.input("image").partial_shape]

    def run(image):
        result = model({"image": image})
        return {output.any_name: result[output] for output in model.outputs}

    return shape, run


expected = comparison.read(sys.argv[1])
for file, how in zip(sys.argv[2::2], sys.argv[3::2]):
    runtime, mode = how.split("-")
    shape, run = with_onnxruntime(file) if runtime == "onnxruntime" else with_openvino(file)
    seen = 0
    for key, image in comparison.pictures(expected, shape):
        batches = [slice(None)] if shape[0] is None else [slice(i, i + 1) for i in range(len(image))]
        for rows in batches:
            comparison.hold(expected, key, rows, run(image[rows]), mode, 1e-3, 1e-4)
            seen += 1
    if seen < 2:
        comparison.fail(f"pictures to compare, got {seen}")
