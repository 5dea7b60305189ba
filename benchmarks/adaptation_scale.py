"""Time and memory of `suggest` and `adapt` on 100,000 drawn frames with 1,280 features.

    python benchmarks/adaptation_scale.py FOLDER [--frames 100000] [--dives 60] [--categories 290]

Each verb runs in a process of its own, whose peak memory is told.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from finding_nemo.results.file_metadata import to_file_metadata
from finding_nemo.results.schema import Columns, parquet_options

_PEAK = """
import resource, sys
from finding_nemo.cli.main import app
try:
    app(sys.argv[1:], standalone_mode=False)
finally:
    used = resource.getrusage(resource.RUSAGE_SELF)
    print(f"{used.ru_utime + used.ru_stime:.1f} s of CPU, peak {used.ru_maxrss / 2**20:.2f} GB")
"""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--frames", type=int, default=100_000)
    parser.add_argument("--dives", type=int, default=60)
    parser.add_argument("--categories", type=int, default=290)
    options = parser.parse_args()
    options.folder.mkdir(parents=True, exist_ok=True)
    path = options.folder / "large.parquet"
    if not path.exists():
        draw(path, options.frames, options.dives, options.categories)
    following, reviews = options.folder / "next.csv", options.folder / "reviews.csv"
    out = options.folder / "adapted.parquet"
    _run("suggest", path, "--per-dive", "10", "--out", following, "--overwrite")
    asked = [line.split(",")[0] for line in following.read_text().splitlines()[1:]]
    lines = [f"{name},{1 + number % 7}" for number, name in enumerate(asked)]
    reviews.write_text("\n".join(["id,categories", *lines]) + "\n")
    again = ("--reviews", reviews, "--out", following, "--overwrite")
    _run("suggest", path, "--budget", "500", *again)
    _run("adapt", path, "--reviews", reviews, "--out", out, "--overwrite")


def _run(*words: object) -> None:
    started = time.perf_counter()
    done = subprocess.run(
        [sys.executable, "-c", _PEAK, *map(str, words)], capture_output=True, text=True, check=True
    )
    print(f"{words[0]}: {time.perf_counter() - started:.1f} s;", " ".join(done.stdout.split()))


def draw(path: Path, n_frames: int, n_dives: int, n_categories: int) -> None:
    rng = np.random.default_rng(0)
    columns = Columns(n_categories, n_features=1280)
    schema = columns.schema()
    metadata = {
        "schema_version": 1,
        "categories": [
            {"category_id": k, "name": f"animal {k}", "supercategory": "all", "n_images": 1,
             "n_dives": 1, "validation_ap": None}
            for k in range(1, n_categories + 1)
        ],
    }  # fmt: skip
    empty = {field.name: None for field in schema}
    with pq.ParquetWriter(path, schema, **parquet_options(schema)) as writer:
        for start in range(0, n_frames, 2048):
            count = min(2048, n_frames - start)
            rows = np.arange(start, start + count)
            vector = (rng.random((count, n_categories), dtype=np.float32) ** 8).astype(np.float32)
            features = rng.normal(size=(count, 1280)).astype(np.float32)
            best = np.argsort(-vector, axis=1)[:, :20]
            values = {
                **{name: [None] * count for name in empty},
                "image_id": [f"f{row}" for row in rows],
                "path": [f"d{row * n_dives // n_frames}/c{row // 200}_{row}.png" for row in rows],
                "categories": list((best + 1).astype(np.int32)),
                "probabilities": list(np.take_along_axis(vector, best, axis=1)),
                "vector": pa.FixedSizeListArray.from_arrays(vector.reshape(-1), n_categories),
                "embedding": pa.FixedSizeListArray.from_arrays(features.reshape(-1), 1280),
            }  # fmt: skip
            arrays = [pa.array(values[f.name], type=f.type) for f in schema]
            writer.write_table(pa.Table.from_arrays(arrays, schema=schema))
        writer.add_key_value_metadata(to_file_metadata(metadata))


if __name__ == "__main__":
    main()
