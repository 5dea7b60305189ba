"""Where the time of a prediction goes: decoding, resizing, the network, all of it to a file.

Run: python benchmarks/predict.py BUNDLE IMAGE_FOLDER [N]
"""

from __future__ import annotations

import sys
import tempfile
import time
from pathlib import Path

import numpy as np

from finding_nemo.core.preprocessing import Preprocessing
from finding_nemo.data.images import decode_image
from finding_nemo.data.transforms import preprocess
from finding_nemo.models.bundle import load_bundle
from finding_nemo.models.runtime import OnnxNetwork
from finding_nemo.prediction.inputs import collect_images
from finding_nemo.prediction.to_file import predict_to_file


def main(bundle_path: Path, folder: Path, n: int) -> None:
    bundle = load_bundle(bundle_path)
    preprocessing = bundle.manifest.preprocessing or Preprocessing()
    inputs = collect_images([str(folder)])[:n]
    paths = [Path(image.path) for image in inputs]

    started = time.perf_counter()
    decoded = [decode_image(path).pixels for path in paths]
    report("decode, one core", started, len(paths))

    started = time.perf_counter()
    pixels = [preprocess(one, preprocessing) for one in decoded]
    report("resize and normalise, one core", started, len(paths))

    network = OnnxNetwork(bundle.onnx_path)
    started = time.perf_counter()
    for start in range(0, len(pixels), 8):
        network.outputs(np.stack(pixels[start : start + 8]))
    report("network, batch 8", started, len(paths))

    with tempfile.TemporaryDirectory() as scratch:
        started = time.perf_counter()
        predict_to_file(bundle, inputs, Path(scratch) / "predictions.parquet")
        report("files to Parquet", started, len(paths))


def report(what: str, started: float, n: int) -> None:
    elapsed = time.perf_counter() - started
    print(f"{what:32s} {n / elapsed:8.1f} images/s")


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]), int(sys.argv[3]) if len(sys.argv) > 3 else 400)
