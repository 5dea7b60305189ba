"""What a prediction run would cost: counted, sampled, and a row's bytes by the real writer."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from finding_nemo.core.records import ImageRecord, Prediction
from finding_nemo.prediction.run import dry_run_prediction as dry
from finding_nemo.prediction.sources.image_sources import ImageInput
from finding_nemo.results.columns import to_table
from finding_nemo.results.schema import Columns, parquet_options


def images(count: int) -> list[ImageInput]:
    return [
        ImageInput(f"{n:05d}", f"{n}.png", ImageRecord(f"{n}", Path(f"{n}.png"), category_ids=None))
        for n in range(count)
    ]


def test_sampled__counts_all_and_keeps_some_in_order() -> None:
    assert dry._sampled(images(0)) == (0, False, [])
    assert dry._sampled(images(7)) == (7, False, images(7))
    n_images, has_frames, kept = dry._sampled(images(1000))
    assert (n_images, has_frames, len(kept)) == (1000, False, 32)
    assert [image.image_id for image in kept] == sorted({image.image_id for image in kept})
    assert kept == dry._sampled(images(1000))[2]


def test_sampled__is_drawn_from_the_whole_listing() -> None:
    quarter = Counter(int(image.image_id) // 250 for image in dry._sampled(images(1000))[2])
    assert set(quarter) == {0, 1, 2, 3}


def rows(count: int) -> pa.Table:
    rng = np.random.default_rng(0)
    found = [
        Prediction(
            image_id=f"{n:05d}", path=f"frames/{n}.png", width=640, height=360, failure=None,
            probabilities=rng.random(290, dtype=np.float32), novelty=float(rng.random()),
        )
        for n in range(count)
    ]  # fmt: skip
    return to_table(found, list(range(1, 291)), Columns(290, with_vector=True))


@pytest.mark.parametrize("file_format", ["parquet", "jsonl", "csv", "submission"])
def test_bytes_per_row__of_few_rows_are_those_of_many(file_format: str) -> None:
    few, many = (dry.bytes_per_row(rows(n), file_format) for n in (32, 2000))
    assert few == pytest.approx(many, rel=0.25)
    assert dry.bytes_per_row(rows(32).slice(0, 0), file_format) == 0


def test_bytes_per_row__of_a_vector_and_against_a_file(tmp_path: Path) -> None:
    table = rows(2000)
    pq.write_table(table, tmp_path / "p.parquet", **parquet_options(table.schema))
    per_row = dry.bytes_per_row(table, "parquet")
    assert 2000 * per_row == pytest.approx((tmp_path / "p.parquet").stat().st_size, rel=0.02)
    # 290 float32 that nothing can pack.
    assert per_row > 0.8 * 290 * 4
