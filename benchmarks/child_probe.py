"""`probe` from nothing to an evaluated bundle: features, head, export, predictions, scores.

Run: python benchmarks/child_probe.py DATASET OUT
"""

from __future__ import annotations

import json
import os
import sys
import time
from pathlib import Path


def main(folder: Path, out: Path) -> None:
    os.environ["FINDING_NEMO_CACHE"] = str(out / "cache")
    started = time.perf_counter()
    from finding_nemo import evaluate, read_dataset, read_predictions, train
    from finding_nemo.data.splits.split_csv import read_split
    from finding_nemo.prediction.run.predict_to_file import predict_to_file
    from finding_nemo.prediction.sources.image_sources import collect_images

    dataset = read_dataset(folder)
    features_s = _features_seconds(dataset)
    run = train(dataset, out=out / "run", overwrite=True)
    trained_s = time.perf_counter() - started
    split = read_split(out / "run/split.csv")
    test = set(split.ids_in("test"))
    inputs = [image for image in collect_images([str(folder)]) if image.image_id in test]
    predict_to_file(run.bundle, inputs, out / "test.parquet", overwrite=True)
    found = evaluate(read_predictions(out / "test.parquet"), dataset, split=split, part="test")
    result = {
        "features_s": features_s,
        "trained_s": trained_s,
        "seconds": time.perf_counter() - started,
        "n": len(dataset.records),
        "map_at_20": found.model.map_at_20.value,
    }
    print(json.dumps(result))


def _features_seconds(dataset: object) -> float:
    """Fill the cache with the features of every frame, as the training would part by part."""
    import torch

    from finding_nemo.core.preprocessing import Preprocessing
    from finding_nemo.core.records import Dataset
    from finding_nemo.core.reporter import no_progress
    from finding_nemo.models.networks.backbones import freeze, load_backbone
    from finding_nemo.models.onnx_export.export_onnx import export_onnx
    from finding_nemo.training.examples.cached_inputs import cache_features

    assert isinstance(dataset, Dataset)
    started = time.perf_counter()
    loaded = load_backbone("tf_efficientnet_lite0", n_outputs=0, pretrained=True)
    spec = Preprocessing(mean=loaded.mean, std=loaded.std)
    with torch.inference_mode():
        exported = export_onnx(freeze(loaded.network), spec, output="features")
    cache_features(dataset.records, spec, exported, row_shape=(1280,), progress=no_progress)
    return time.perf_counter() - started


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))
