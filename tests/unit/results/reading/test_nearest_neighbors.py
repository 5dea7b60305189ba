"""Look-alikes by embedding: against a slow version, across row groups, and what is refused."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from typer.testing import CliRunner

from finding_nemo.cli.main import app
from finding_nemo.core.errors import PredictionsError, SettingsError
from finding_nemo.core.records import Prediction
from finding_nemo.results.columns import to_table
from finding_nemo.results.reading.nearest_neighbors import nearest
from finding_nemo.results.schema import Columns
from finding_nemo.results.writers import ROWS_IN_GROUP, write_tables

_N = ROWS_IN_GROUP + 300
_EMBEDDINGS = np.random.default_rng(2).normal(size=(_N, 5)).astype(np.float32)


def write_index(path: Path, *, n_features: int = 5, bundle_hash: str = "abc") -> Path:
    columns = Columns(3, n_features=n_features)
    rows = [
        Prediction(
            f"i{n}", f"f/{n}.png", 8, 6, None, np.full(3, 0.5, np.float32), 0.5,
            embedding=embedding if n_features else None,
        )
        for n, embedding in enumerate(_EMBEDDINGS)
    ]  # fmt: skip
    rows[4] = Prediction("i4", "f/4.png", None, None, "is empty (0 bytes)", None, None)
    metadata: dict[str, Any] = {"schema_version": 1, "bundle_hash": bundle_hash}
    tables = [to_table(rows, (1, 2, 3), columns)]
    write_tables(
        tables, path, schema=columns.schema(), metadata=lambda: metadata, fallback_ids=(1, 2, 3)
    )
    return path


def test_nearest__equals_the_cosine_of_every_row(tmp_path: Path) -> None:
    query = np.arange(1, 6, dtype=np.float32)
    slow = []
    for n, row in enumerate(_EMBEDDINGS):
        if n != 4:
            length = float(np.sqrt((row**2).sum()) * np.sqrt((query**2).sum()))
            slow.append((-float((row * query).sum()) / length, f"i{n}"))
    expected = sorted(slow)[:7]
    found = nearest(write_index(tmp_path / "index.parquet"), query, k=7)
    assert [one.image_id for one in found] == [name for _, name in expected]
    assert [one.similarity for one in found] == pytest.approx([-value for value, _ in expected])
    assert len({one.image_id for one in found}) == 7


def test_nearest__of_a_row_of_the_index_is_that_row(tmp_path: Path) -> None:
    index = write_index(tmp_path / "index.parquet")
    for n in (0, _N - 1):
        (found,) = nearest(index, _EMBEDDINGS[n], k=1, bundle_hash="abc")
        assert (found.image_id, found.path) == (f"i{n}", f"f/{n}.png")
        assert found.similarity == pytest.approx(1)


def test_nearest__refuses_what_cannot_be_compared(tmp_path: Path) -> None:
    index = write_index(tmp_path / "index.parquet")
    with pytest.raises(PredictionsError, match="another bundle"):
        nearest(index, _EMBEDDINGS[0], bundle_hash="other")
    with pytest.raises(PredictionsError, match="another bundle"):
        nearest(index, _EMBEDDINGS[0, :4])
    with pytest.raises(PredictionsError, match="holds no embeddings.*--embeddings"):
        nearest(write_index(tmp_path / "plain.parquet", n_features=0), _EMBEDDINGS[0])
    with pytest.raises(PredictionsError, match="cannot be read"):
        nearest(tmp_path / "gone.parquet", _EMBEDDINGS[0])
    with pytest.raises(SettingsError, match="at least 1, got 0"):
        nearest(index, _EMBEDDINGS[0], k=0)


def test_similar__finds_the_image_itself_first(
    small_bundle: Path, tiny_folder: Path, tmp_path: Path
) -> None:
    frames, index = str(tiny_folder / "images"), str(tmp_path / "index.parquet")
    run = CliRunner().invoke
    done = run(app, ["predict", str(small_bundle), frames, "--out", index, "--embeddings"])
    assert done.exit_code == 0, done.output
    image = str(tiny_folder / "images/train/f7.png")
    done = run(app, ["similar", str(small_bundle), index, image, "-k", "3"])
    assert done.exit_code == 0, done.output
    lines = done.stdout.splitlines()
    assert len(lines) == 3
    assert lines[0].startswith("1.0000  f7  ")
