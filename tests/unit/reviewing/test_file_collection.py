"""A predictions file read on demand: the same numbers as when it is read whole."""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from finding_nemo.adaptation.files.predicted_frames import read_predicted_frames
from finding_nemo.core.errors import DatasetError, ImageError, PredictionsError
from finding_nemo.core.files.input_limits import USUAL_LIMITS
from finding_nemo.core.reporter import Reporter
from finding_nemo.data.filesystems.regular_files import read_regular
from finding_nemo.results.file_metadata import to_file_metadata
from finding_nemo.reviewing.file_collection import FileCollection


@pytest.fixture(scope="module")
def grouped(reviewable: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The same predictions in row groups of seven rows."""
    path = tmp_path_factory.mktemp("grouped") / "dive.parquet"
    return written(pq.read_table(reviewable / "fold0.parquet"), path, reviewable, row_group_size=7)


def written(table: pa.Table, path: Path, reviewable: Path, *, row_group_size: int = 100) -> Path:
    """Write a table as a predictions file with the metadata of the drawn one."""
    metadata = dict(pq.ParquetFile(reviewable / "fold0.parquet").metadata.metadata)
    metadata.pop(b"ARROW:schema")  # of the columns that were there
    pq.write_table(table.replace_schema_metadata(metadata), path, row_group_size=row_group_size)
    return path


def test_vectors__are_those_of_the_whole_file(reviewable: Path, grouped: Path) -> None:
    whole = read_predicted_frames(reviewable / "fold0.parquet")
    assert whole.features is not None
    for path in (reviewable / "fold0.parquet", grouped):
        collection = FileCollection(path)
        assert np.array_equal(collection.columns.usable, whole.usable)
        assert tuple(collection.columns.image_ids) == whole.image_ids
        for rows in (np.arange(48), np.array([0, 6, 7, 23, 47]), np.array([23]), np.arange(20, 30)):
            parts = list(collection.vectors(rows))
            assert np.array_equal(np.concatenate([part.rows for part in parts]), rows)
            base = np.concatenate([part.base for part in parts])
            assert np.array_equal(base, whole.base[rows])
            features = np.concatenate([p.features for p in parts if p.features is not None])
            # Sums over other groups round otherwise.
            assert np.allclose(features, whole.features[rows], atol=2e-3)
            again = np.concatenate([p.base for p in collection.vectors(rows, with_features=False)])
            assert np.array_equal(again, base)


def test_values__are_those_of_the_row(reviewable: Path, grouped: Path) -> None:
    rows = pq.read_table(reviewable / "fold0.parquet").to_pylist()
    collection = FileCollection(grouped)
    for number in (0, 6, 7, 23, 47, 0):
        found = collection.values(number)
        assert found == {name: rows[number][name] for name in found}
        assert {"vector", "embedding"}.isdisjoint(found)


def test_small_columns__stand_in_for_answers_of_before(reviewable: Path) -> None:
    rows = pq.read_table(reviewable / "fold0.parquet").to_pylist()
    columns = FileCollection(reviewable / "fold0.parquet").columns
    best = int(np.argmax(rows[0]["vector"]))
    assert columns.answers[0] == ("crab", "fish", "squid")[best]
    assert columns.probabilities[0] == pytest.approx(max(rows[0]["vector"]))
    assert (columns.first_ids[0], columns.confidences[0]) == (best + 1, None)
    assert (columns.answers[23], columns.first_ids[23]) == (None, -1)
    assert np.isnan(columns.probabilities[23])


def test_maps__are_reshaped_by_the_grid(reviewable: Path, tmp_path: Path) -> None:
    table = pq.read_table(reviewable / "fold0.parquet")
    values = [list(range(12))] * 47 + [None]
    table = table.append_column("maps", pa.array(values, type=pa.list_(pa.uint8())))
    path = tmp_path / "maps.parquet"
    written(table, path, reviewable)
    collection = FileCollection(path)
    assert collection.maps(0) is None  # the file does not say how the maps are laid out
    collection._metadata["maps"] = {"rows": 2, "columns": 3}
    found = collection.maps(0)
    assert found is not None
    assert found.tolist() == [[[0, 1, 2], [3, 4, 5]], [[6, 7, 8], [9, 10, 11]]]
    assert collection.maps(47) is None


def test_faults(reviewable: Path, tmp_path: Path) -> None:
    with pytest.raises(PredictionsError, match="does not exist"):
        FileCollection(tmp_path / "x.parquet")
    with pytest.raises(PredictionsError, match="only Parquet"):
        FileCollection(tmp_path / "x.csv")
    table = pq.read_table(reviewable / "fold0.parquet")
    without = tmp_path / "without.parquet"
    written(table.drop(["vector"]), without, reviewable)
    with pytest.raises(PredictionsError, match="best guesses only"):
        FileCollection(without)
    twice = tmp_path / "twice.parquet"
    written(pa.concat_tables([table, table]), twice, reviewable)
    with pytest.raises(PredictionsError, match="twice"):
        FileCollection(twice)
    with pytest.raises(DatasetError, match="no folder"):
        FileCollection(reviewable / "fold0.parquet", images=tmp_path / "nowhere")


def test_without_embeddings__reviews_go_by_clip_and_time(reviewable: Path, tmp_path: Path) -> None:
    path = tmp_path / "plain.parquet"
    written(pq.read_table(reviewable / "fold0.parquet").drop(["embedding"]), path, reviewable)
    collection = FileCollection(path)
    assert not collection.has_features
    assert "no embeddings" in collection.notices[0]
    assert next(collection.vectors(np.arange(3))).features is None


def test_images__only_those_of_the_folder(reviewable: Path, tmp_path: Path) -> None:
    name = Path(FileCollection(reviewable / "fold0.parquet").columns.paths[0]).name
    outside = tmp_path / "outside.png"
    outside.write_bytes(b"x")
    folder = tmp_path / "images"
    folder.mkdir()
    (folder / name).symlink_to(outside)
    collection = FileCollection(reviewable / "fold0.parquet", images=folder)
    assert collection.image_of(0) is None
    (folder / name).unlink()
    (folder / name).symlink_to(name)  # to itself
    looped = collection.image_of(0)
    assert looped is not None
    with pytest.raises(ImageError, match="cannot be read"):
        read_regular(looped.path, USUAL_LIMITS)
    (folder / name).unlink()
    (folder / name).write_bytes(b"x")
    collection = FileCollection(reviewable / "fold0.parquet", images=folder)
    found = collection.image_of(0)
    assert found is not None
    assert (found.path, found.time_s) == (folder / name, None)
    assert collection.image_of(1) is None


def test_file__that_is_gone_or_another_is_not_given_for_the_one_that_was_opened(
    reviewable: Path, tmp_path: Path
) -> None:
    path = tmp_path / "dive.parquet"
    shutil.copy(reviewable / "fold0.parquet", path)
    collection = FileCollection(path)
    assert collection.as_file(tmp_path) == path
    path.unlink()
    with pytest.raises(PredictionsError, match="is gone"):
        collection.as_file(tmp_path)
    shutil.copy(reviewable / "fold1.parquet", path)
    with pytest.raises(PredictionsError, match="other predictions"):
        collection.as_file(tmp_path)


def test_memory__holds_small_columns_and_the_last_dives_only(tmp_path: Path) -> None:
    path = _large(tmp_path / "large.parquet", n_rows=12_000, n_features=256)
    before = pa.total_allocated_bytes()
    told: list[str] = []
    collection = FileCollection(path, reporter=Reporter(told.append))
    for start in range(0, 12_000, 500):
        for part in collection.vectors(np.arange(start, start + 500)):
            assert part.features is not None
    held = sum(values.nbytes for _, values in collection._kept.values())
    assert held <= 32_000_000
    # All embeddings are 12 MB; of the tables behind them at most the last group is left.
    assert pa.total_allocated_bytes() - before < 7_000_000


def _large(path: Path, *, n_rows: int, n_features: int) -> Path:
    rng = np.random.default_rng(0)
    ones = np.tile(np.array([1, 2, 3, 4], dtype=np.int32), n_rows)
    ids = [f"d{row // 500}_{row:05d}" for row in range(n_rows)]
    vector = rng.random((n_rows, 4), dtype=np.float32)
    embedding = rng.random((n_rows, n_features), dtype=np.float32)
    table = pa.table(
        {
            "image_id": ids,
            "path": [f"dive{row // 500}/{name}.png" for row, name in enumerate(ids)],
            "failure": pa.nulls(n_rows, pa.string()),
            "categories": _lists(ones),
            "probabilities": _lists(vector.reshape(-1)),
            "vector": pa.FixedSizeListArray.from_arrays(vector.reshape(-1), 4),
            "embedding": pa.FixedSizeListArray.from_arrays(embedding.reshape(-1), n_features),
        }
    )
    categories = [{"category_id": n, "name": f"animal {n}"} for n in range(1, 5)]
    metadata = to_file_metadata({"schema_version": 1, "categories": categories})
    pq.write_table(table.replace_schema_metadata(metadata), path, row_group_size=1000)
    return path


def _lists(values: np.ndarray) -> pa.Array:
    """Return lists of four."""
    return pa.ListArray.from_arrays(np.arange(0, len(values) + 1, 4, dtype=np.int32), values)
