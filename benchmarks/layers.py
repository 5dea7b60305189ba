"""Where the time of one image goes, by kind of layer, and how fast each computes, on one core."""

from __future__ import annotations

import statistics
from collections import defaultdict
from pathlib import Path
from typing import Any

import numpy as np
from timing import table

_RUNS = 200
_FILES = {"bf16": "model.onnx", "int8": "openvino/model.int8.xml"}
# What computes nothing of its own, or is measured inside the layer that it was fused into.
_NOTHING = "NOT_RUN"


def compare(bundle: Path) -> str:
    """Return the table of bfloat16 and int8 on OpenVINO, of an exported bundle."""
    rows = []
    for dtype, name in _FILES.items():
        seconds, work = _by_kind(bundle / name, dtype)
        whole = sum(seconds.values())
        rows += [
            [dtype, kind, f"{1e6 * took:.0f}", f"{took / whole:.0%}",
             f"{2e-6 * work[kind]:.0f}", f"{2e-9 * work[kind] / took:.0f}"]
            for kind, took in sorted(seconds.items(), key=lambda item: -item[1])
        ]  # fmt: skip
    header = ["dtype", "layers", "microseconds", "of the time", "Mop", "Gop/s of one core"]
    return table(header, rows)


def _by_kind(network: Path, dtype: str) -> tuple[dict[str, float], dict[str, float]]:
    """Return seconds and multiply-adds an image, by kind of layer."""
    import openvino

    core = openvino.Core()
    model = core.read_model(str(network))
    settings = {
        "PERF_COUNT": True, "INFERENCE_NUM_THREADS": 1,
        "INFERENCE_PRECISION_HINT": "bf16" if dtype == "bf16" else "f32",
    }  # fmt: skip
    compiled = core.compile_model(model, "CPU", settings)
    layers = {op.get_friendly_name(): op for op in model.get_ordered_ops()}
    request = compiled.create_infer_request()
    shape = [d.get_length() if d.is_static else 1 for d in compiled.inputs[0].partial_shape]
    image = np.random.default_rng(0).random(shape, dtype=np.float32)
    times: dict[str, list[float]] = defaultdict(list)
    for _ in range(_RUNS):
        request.infer({0: image})
        for node in request.get_profiling_info():
            if _NOTHING not in str(node.status):
                times[node.node_name].append(node.real_time.total_seconds())
    seconds: dict[str, float] = defaultdict(float)
    work: dict[str, float] = defaultdict(float)
    for name, found in times.items():
        kind, products = _kind(layers.get(name))
        seconds[kind] += statistics.median(found)
        work[kind] += products
    return seconds, work


def _kind(op: Any) -> tuple[str, float]:
    """Return the kind of a layer and its multiply-adds."""
    kind = op.get_type_name() if op is not None else ""
    if kind not in ("Convolution", "GroupConvolution"):
        return "all else: sums, pooling, precision changes", 0.0
    weights = list(op.input(1).get_shape())
    out = np.prod([d.get_length() if d.is_static else 1 for d in op.output(0).partial_shape])
    products = float(out * np.prod(weights[-3:]))
    if kind == "GroupConvolution":
        return "depthwise 3 x 3 and 5 x 5", products
    if weights[-1] == 1:
        return "1 x 1 convolutions", products
    return "the first convolution, 3 x 3", products


if __name__ == "__main__":
    import sys

    print(compare(Path(sys.argv[1])))
