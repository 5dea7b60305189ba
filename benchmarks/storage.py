"""What a run costs beside the network: listing, storing, joining and searching.

Run: python benchmarks/storage.py [--images 100000]

Rates are by processor time, so they hold on a machine that others use; flushing to the disk is
not in them. Probabilities are drawn like a network's (most near 0), 290 an image; embeddings have
1,280 numbers.
"""

from __future__ import annotations

import argparse
import tempfile
import time
from collections.abc import Iterator
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np

from finding_nemo.core.records import Prediction
from finding_nemo.prediction.run.run_plan import ROWS_IN_CHUNK, Plan, write_plan
from finding_nemo.prediction.sources.image_sources import ImageSelection
from finding_nemo.results.chunk_store import ChunkStore
from finding_nemo.results.columns import to_table
from finding_nemo.results.content_hash import content_hash
from finding_nemo.results.merge_shards import merge_shards
from finding_nemo.results.reading.nearest_neighbors import nearest
from finding_nemo.results.schema import Columns
from finding_nemo.results.writers import write_tables

_IDS = tuple(range(1, 291))
_N_FEATURES = 1280


def drawn(count: int, *, with_embedding: bool) -> Iterator[Prediction]:
    rng = np.random.default_rng(0)
    for number in range(count):
        logits = rng.normal(-5, 2, len(_IDS))
        features = rng.normal(size=_N_FEATURES).astype(np.float32) if with_embedding else None
        yield Prediction(
            f"frame_{number:08d}",
            f"archive/dive_{number // 5000:04d}/frame_{number:08d}.png",
            1920,
            1080,
            None,
            (1 / (1 + np.exp(-logits))).astype(np.float32),
            0.3,
            embedding=features,
        )


def list_images(scratch: Path, count: int) -> None:
    lines = (f"archive/dive_{n // 5000:04d}/frame_{n:08d}.png\n" for n in range(count))
    names = scratch / "names.txt"
    names.write_text("".join(lines))
    started = time.process_time()
    size = write_plan(ImageSelection((str(names),)).stream(), scratch / "plan.parquet")
    report("list images into a plan", count, started, (scratch / "plan.parquet").stat().st_size)
    started = time.process_time()
    plan = Plan(scratch / "plan.parquet")
    for part in range(size.n_chunks):
        plan.chunk(part)
    report("read the plan again", count, started)


def store(scratch: Path, count: int, *, with_embedding: bool) -> Path:
    columns = Columns(len(_IDS), n_features=_N_FEATURES if with_embedding else 0)
    what = "with embeddings" if with_embedding else "with vectors"
    folder = ChunkStore(scratch / f"{what}.parquet")
    n_chunks = count // ROWS_IN_CHUNK
    rows = drawn(count, with_embedding=with_embedding)
    # Sixteen parts that differ, so that a row group of the file holds no row twice.
    drawn_parts = [list(islice(rows, ROWS_IN_CHUNK)) for _ in range(min(16, n_chunks))]
    with folder.held():
        folder.begin({})
        started = time.process_time()
        for part in range(n_chunks):
            folder.write_chunk(part, to_table(drawn_parts[part % 16], _IDS, columns))
        sizes = folder.chunk_path(0).stat().st_size * n_chunks
        report(f"pack and flush parts {what}", n_chunks * ROWS_IN_CHUNK, started, sizes)
        started = time.process_time()
        story: dict[str, Any] = {
            "schema_version": 1, "n_images": n_chunks * ROWS_IN_CHUNK, "command": "", "started": "",
            "ended": "", "categories": [{"category_id": k, "n_images": 1} for k in _IDS],
            "shard": {"number": 1, "count": 1, "n_images": n_chunks * ROWS_IN_CHUNK},
        }  # fmt: skip
        write_tables(
            (table for part in range(n_chunks) if (table := folder.read_chunk(part)) is not None),
            folder.out,
            schema=columns.schema(),
            metadata=lambda: story,
            fallback_ids=_IDS,
        )
        size = folder.out.stat().st_size
        report(f"put together {what}", n_chunks * ROWS_IN_CHUNK, started, size)
        folder.clear()
    return folder.out


def report(what: str, count: int, started: float, size: int = 0) -> None:
    elapsed = time.process_time() - started
    stored = f", {size / count:7.1f} bytes an image" if size else ""
    print(f"{what:40s} {count / elapsed:9.0f} images a core second{stored}", flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--images", type=int, default=100_000)
    count = parser.parse_args().images
    with tempfile.TemporaryDirectory() as folder:
        scratch = Path(folder)
        list_images(scratch, count)
        vectors = store(scratch, count, with_embedding=False)
        started = time.process_time()
        merge_shards([vectors], scratch / "merged.parquet")
        report("merge, with its content hash", count, started)
        started = time.process_time()
        content_hash(vectors)
        report("content hash alone", count, started)
        embeddings = store(scratch, count // 4, with_embedding=True)
        query = np.ones(_N_FEATURES, dtype=np.float32)
        started = time.process_time()
        nearest(embeddings, query)
        report("search look-alikes", count // 4, started)


if __name__ == "__main__":
    main()
