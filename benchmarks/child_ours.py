"""`predict` as the command runs it, from files to Parquet vectors, the network's loading included.

Run: python benchmarks/child_ours.py PRECISION BUNDLE LIST OUT
"""

from __future__ import annotations

import json
import sys
import time
from pathlib import Path
from typing import cast

from finding_nemo.core.names.inference_names import DtypeOption
from finding_nemo.models.bundle.bundle import load_bundle
from finding_nemo.models.inference.open_bundle_network import InferenceOptions
from finding_nemo.prediction.run.predict_to_file import predict_to_file
from finding_nemo.prediction.sources.image_sources import collect_images


def main(dtype: DtypeOption, bundle: Path, listed: Path, out: Path) -> None:
    inputs = collect_images([str(listed)])
    loaded = load_bundle(bundle)
    started = time.perf_counter()
    summary = predict_to_file(loaded, inputs, out, network=InferenceOptions(dtype), overwrite=True)
    seconds = time.perf_counter() - started
    print(json.dumps({"seconds": seconds, "n": summary.n_images}))


if __name__ == "__main__":
    main(cast(DtypeOption, sys.argv[1]), *map(Path, sys.argv[2:5]))
