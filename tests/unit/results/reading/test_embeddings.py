"""Embeddings of several files, and what is no embedding."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from finding_nemo.core.errors import PredictionsError
from finding_nemo.results.reading.embeddings import read_embeddings, unit_features


def test_read_embeddings__of_two_files(reviewable: Path) -> None:
    found = read_embeddings([reviewable / "fold0.parquet", reviewable / "fold1.parquet"])
    assert found.features.shape == (71, 6)
    assert len(found.image_ids) == 71
    assert found.n_without == 1
    assert found.n_bundles == 1


def test_read_embeddings__refuses(reviewable: Path, tmp_path: Path) -> None:
    twice = [reviewable / "fold1.parquet"] * 2
    with pytest.raises(PredictionsError, match="stands twice"):
        read_embeddings(twice)
    with pytest.raises(PredictionsError, match="only Parquet"):
        read_embeddings([tmp_path / "p.csv"])
    with pytest.raises(PredictionsError, match="does not exist"):
        read_embeddings([tmp_path / "p.parquet"])


def test_unit_features__by_hand() -> None:
    values = np.array([[1, 5, 0], [3, 5, 0]], dtype=np.float32)
    # The first feature stands one spread on each side of its mean; the others never change.
    assert unit_features(values) == pytest.approx(np.array([[-1, 0, 0], [1, 0, 0]]), abs=1e-5)
    assert not unit_features(np.ones((2, 3), dtype=np.float32)).any()
