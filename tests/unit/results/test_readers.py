"""Predictions saved again by Excel, pandas or a fault: the same values, or one message."""

from __future__ import annotations

import csv
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from finding_nemo.core.errors import PredictionsError, SettingsError
from finding_nemo.core.files.table_files import TableWriter
from finding_nemo.core.records import Prediction
from finding_nemo.results.columns import to_table
from finding_nemo.results.content_hash import content_hash
from finding_nemo.results.merge_shards import merge_shards
from finding_nemo.results.reading.answer_columns import ANSWER_FIELDS, LOOK_FIRST
from finding_nemo.results.reading.nearest_neighbors import nearest
from finding_nemo.results.reading.readers import read_predictions
from finding_nemo.results.schema import Columns, PredictionTable, SpreadsheetLayout
from finding_nemo.results.spreadsheet import categories_path
from finding_nemo.results.writers import provenance_path, write_predictions, write_tables

_IDS = (36, 17, 4)
_CATEGORIES = [{"category_id": number, "n_images": 1} for number in _IDS]
Rows = list[list[str]]


def predictions() -> list[Prediction]:
    values = np.array([[0.5, 0.75, 0.25], [0.125, 0.0, 1.0]], dtype=np.float32)
    return [
        Prediction("=1+1", "-f/a.png", 64, 48, None, values[0], -0.25),
        Prediction("bad", "f/b;1.png", None, None, "-is empty (0 bytes)", None, None),
        Prediction("@c", "f/c, 2.png", 64, 48, None, values[1], 0.5),
    ]


def write(
    path: Path,
    *,
    metadata: dict[str, Any] | None = None,
    rows: list[Prediction] | None = None,
    **options: Any,
) -> Path:
    told = {"schema_version": 1, "categories": _CATEGORIES, **(metadata or {})}
    write_predictions(
        rows or predictions(),
        path,
        category_ids=_IDS,
        metadata=lambda: told,
        overwrite=True,
        **options,
    )
    return path


def write_verified(
    path: Path, metadata: dict[str, Any] | None = None, rows: list[Prediction] | None = None
) -> Path:
    digest = content_hash(write(path, rows=rows))
    return write(path, metadata={"content_sha256": digest, **(metadata or {})}, rows=rows)


def write_earlier_csv(path: Path) -> Path:
    """Write the CSV file of an earlier version: lists in cells, ids and no names."""
    table = to_table(predictions(), _IDS, Columns(len(_IDS), with_vector=False))
    later = [field.name for field in (*ANSWER_FIELDS, LOOK_FIRST)]
    kept = [n for n in table.column_names if n not in (*later, "dive", "captured", "names")]
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = TableWriter(file)
        writer.write(kept)
        for row in table.select(kept).to_pylist():
            writer.write(row.values())
    provenance_path(path).write_text(json.dumps({"schema_version": 1, "categories": _CATEGORIES}))
    return path


def same(found: PredictionTable, expected: PredictionTable, *, vector: bool = False) -> bool:
    names = (
        "image_ids",
        "paths",
        "widths",
        "heights",
        "failures",
        "ranked_ids",
        "ranked_probabilities",
    )
    alike = all(getattr(found, name) == getattr(expected, name) for name in names)
    alike = alike and bool(np.array_equal(found.novelty, expected.novelty, equal_nan=True))
    if not vector:
        return alike
    assert found.vector is not None
    assert expected.vector is not None
    return alike and bool(np.array_equal(found.vector, expected.vector, equal_nan=True))


@pytest.fixture
def expected(tmp_path: Path) -> PredictionTable:
    return read_predictions(write(tmp_path / "expected.parquet"))


def rows_of(path: Path) -> Rows:
    with path.open(newline="") as file:
        return list(csv.reader(file))


def saved_again(tmp_path: Path, change: Callable[[Rows], Any], **dialect: Any) -> Path:
    """Return a CSV file of ours, changed and written by another dialect."""
    path = write_earlier_csv(tmp_path / "p.csv")
    rows = rows_of(path)
    rows = change(rows) or rows
    encoding = dialect.pop("encoding", "utf-8")
    with path.open("w", encoding=encoding, newline="") as file:
        csv.writer(file, **dialect).writerows(rows)
    return path


def column(rows: Rows, name: str, change: Callable[[str], str]) -> None:
    place = rows[0].index(name)
    for row in rows[1:]:
        row[place] = change(row[place])


def _as_is(rows: Rows) -> None:
    del rows


def _blank_rows(rows: Rows) -> None:
    rows += [[""] * len(rows[0])] * 3


def _by_pandas(rows: Rows) -> Rows:
    for name in ("categories", "probabilities"):
        column(rows, name, lambda cell: f"[{', '.join(cell.split())}]" if cell else "nan")
    column(rows, "width", lambda cell: f"{cell}.0" if cell else "NaN")
    column(rows, "failure", lambda cell: cell or "nan")
    return [["Unnamed: 0", *rows[0]], *([str(n), *row] for n, row in enumerate(rows[1:]))]


def _by_numpy(rows: Rows) -> Rows:
    column(rows, "categories", lambda cell: f"[{cell}]".replace(" 17", "\n 17") if cell else "")
    column(rows, "failure", lambda cell: cell or "False")
    return [["", *rows[0]], *([str(n), *row] for n, row in enumerate(rows[1:]))]


def _decimal_commas(rows: Rows) -> None:
    for name in ("novelty", "probabilities"):
        column(rows, name, lambda cell: cell.replace(".", ","))


@pytest.mark.parametrize(
    ("change", "dialect"),
    [
        pytest.param(_as_is, {"encoding": "utf-8-sig"}, id="excel-utf-8"),
        pytest.param(_as_is, {"encoding": "utf-16", "delimiter": "\t"}, id="excel-unicode-text"),
        pytest.param(_as_is, {"delimiter": ";"}, id="semicolons"),
        pytest.param(_decimal_commas, {"delimiter": ";"}, id="decimal-commas"),
        pytest.param(_blank_rows, {}, id="blank-rows"),
        pytest.param(_by_pandas, {}, id="pandas"),
        pytest.param(_by_numpy, {}, id="numpy"),
    ],
)
def test_csv__saved_again_is_the_same(
    tmp_path: Path, expected: PredictionTable, change: Any, dialect: dict[str, Any]
) -> None:
    found = read_predictions(saved_again(tmp_path, change, **dialect))
    assert same(found, expected)
    assert found.metadata["categories"] == _CATEGORIES


def test_csv__no_cell_begins_a_formula_and_numbers_stay(tmp_path: Path) -> None:
    layout = SpreadsheetLayout(guesses=2, with_ids=True)
    path = tmp_path / "p.csv"
    columns = Columns(len(_IDS), category_names=("=crab", "eel", "@cod"))
    write_tables(
        [to_table(predictions(), _IDS, columns)],
        path,
        schema=columns.schema(),
        metadata=lambda: {"categories": [{"category_id": 36, "name": "=crab"}]},
        fallback_ids=_IDS,
        layout=layout,
    )
    header, first, second, third = rows_of(path)
    assert header[0] == "\ufeffid"
    assert first[:2] == ["'=1+1", "'-f/a.png"]
    assert second[header.index("failure")] == "'-is empty (0 bytes)"
    assert third[0] == "'@c"
    guesses = header.index("guess1")
    assert first[guesses : guesses + 6] == ["eel", "17", "0.75", "'=crab", "36", "0.50"]
    assert rows_of(categories_path(path)) == [
        ["\ufeffid", "name", "supercategory"],
        ["36", "'=crab", ""],
    ]


def test_submission__ids_stand_as_they_are(tmp_path: Path) -> None:
    path = write(tmp_path / "s.csv", file_format="submission")
    assert [line.split(",")[0] for line in path.read_text().splitlines()] == [
        "id",
        "=1+1",
        "bad",
        "@c",
    ]


# Columns of a CSV file of an earlier version.
_ALL = 19


def _cell(name: str, value: str, row: int = 1) -> Callable[[Rows], None]:
    def change(rows: Rows) -> None:
        rows[row][rows[0].index(name)] = value

    return change


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (_cell("categories", "17 36 3000000000"), "line 2, categories: .*32 bits"),
        (_cell("categories", "17 36 4.5"), "line 2, categories: '4.5' is not a whole number"),
        (_cell("categories", "17 crab 4"), "line 2, categories: 'crab' is not a number"),
        (_cell("categories", "17 ... 4"), "line 2, categories: '...' is not a number"),
        (_cell("categories", "17 36"), "line 2: 2 categories, but 3 probabilities"),
        (_cell("categories", "17 17 4"), "line 2: a category is guessed twice"),
        (_cell("probabilities", "0.75 0.5 -0.25"), "line 2: probabilities must be .* 0 to 1"),
        (_cell("probabilities", "1.75 0.5 0.25"), "line 2: probabilities must be .* 0 to 1"),
        (_cell("probabilities", "0.75 nan 0.25"), "line 2: probabilities must be .* 0 to 1"),
        (_cell("probabilities", "0.5 0.75 0.25"), "line 2: probabilities must be best first"),
        (_cell("probabilities", "1e999 0.75 0.25"), "line 2: probabilities must be .* 0 to 1"),
        (_cell("novelty", "1e999"), "line 2: novelty must be finite"),
        (_cell("novelty", "high"), "line 2, novelty: 'high' is not a number"),
        (_cell("width", "1_000"), "line 2, width: '1_000' is not a number"),
        (_cell("image_id", ""), "line 2: image_id must not be empty"),
        (_cell("image_id", "@c"), "names an image twice .'@c'."),
        (_cell("failure", "", 2), "line 3: no guess, and no failure"),
        (_cell("failure", "odd"), "line 2: guesses, although it failed"),
        (
            lambda rows: rows[3].pop(),
            f"line 4: {_ALL - 1} fields where the header has {_ALL}",
        ),
        (lambda rows: rows[0].__setitem__(5, "labels"), "line 1: column categories is missing"),
        (
            lambda rows: [[*row, "x"] if n else row for n, row in enumerate(rows)],
            f"line 2: {_ALL + 1} fie",
        ),
    ],
)
def test_csv__what_no_prediction_can_be_is_told_with_its_line(
    tmp_path: Path, change: Any, message: str
) -> None:
    with pytest.raises(PredictionsError, match=message):
        read_predictions(saved_again(tmp_path, change))


def test_jsonl__with_a_mark_blank_lines_and_cut_off(
    tmp_path: Path, expected: PredictionTable
) -> None:
    path = write(tmp_path / "p.jsonl", file_format="jsonl")
    text = path.read_text()
    path.write_text("\n" + text.replace("\n", "\r\n\r\n"), encoding="utf-8-sig")
    assert same(read_predictions(path), expected, vector=True)
    path.write_text(text[:-20])
    with pytest.raises(PredictionsError, match="line 3, .*Was the file cut off"):
        read_predictions(path)


@pytest.mark.parametrize(
    ("key", "value", "message"),
    [
        ("image_id", 7, "line 1, image_id: must be a text, got a number"),
        ("width", True, "line 1, width: must be a number, got true or false"),
        ("categories", "36", "line 1, categories: must be a list, got text"),
        ("categories", [17, 36, 10**400], "line 1, categories: .*too large"),
        ("categories", [17, 36, None], "line 1, categories: None is not a whole number"),
        ("probabilities", {"a": 1}, "line 1, probabilities: must be a list, got an object"),
        ("vector", [0.5, 0.5], "line 3: 3 probabilities in vector, where other rows have 2"),
        ("vector", ["x"] * 3, "line 1, vector: must be a list of numbers"),
        ("vector", [0.5, 2.0, 0.1], "line 1: vector must hold a number from 0 to 1"),
        ("vector", None, "line 1: vector must hold a number from 0 to 1"),
        ("novelty_scores", [1, 2], "rows have .2. novelty scores, not the 1 that are named"),
    ],
)
def test_jsonl__other_types_are_told_with_their_line(
    tmp_path: Path, key: str, value: object, message: str
) -> None:
    path = write(tmp_path / "p.jsonl", file_format="jsonl", metadata={"novelty_scores": ["a"]})
    first, *rest = path.read_text().splitlines()
    lines = [json.dumps({**json.loads(first), key: value}), *rest]
    path.write_text("\n".join(lines))
    with pytest.raises(PredictionsError, match=message):
        read_predictions(path)


def test_provenance__of_another_shape_is_told(tmp_path: Path) -> None:
    path = write_earlier_csv(tmp_path / "p.csv")
    for content in ("[]", '{"categories": 3}', '{"categories": [3]}', "{", '{"novelty_scores": 3}'):
        provenance_path(path).write_text(content)
        with pytest.raises(PredictionsError, match="provenance.json"):
            read_predictions(path)


def test_parquet__saved_by_pandas_has_other_types_and_no_story(
    tmp_path: Path, expected: PredictionTable
) -> None:
    path = write(tmp_path / "p.parquet")
    table = pq.read_table(path)
    frame = {name: table.column(name).to_pylist() for name in table.column_names}
    again = pa.table(frame)  # the types that the values suggest: int64, double, list<double>
    pq.write_table(again.append_column("__index_level_0__", pa.array(range(3))), path)
    assert same(read_predictions(path), expected, vector=True)


def test_parquet__of_others_is_told_by_its_columns(tmp_path: Path) -> None:
    path = tmp_path / "p.parquet"
    pq.write_table(pa.table({"image_id": ["a"], "score": [0.5]}), path)
    with pytest.raises(PredictionsError, match="lacks the columns path, .*it has image_id, score"):
        read_predictions(path)
    frame: dict[str, list[Any]] = {
        name: [None]
        for name in (
            "image_id",
            "path",
            "width",
            "height",
            "failure",
            "categories",
            "probabilities",
            "novelty",
        )
    }
    pq.write_table(pa.table({**frame, "image_id": [7]}), path)
    with pytest.raises(PredictionsError, match="row 1, image_id: must be a text, got a number"):
        read_predictions(path)


def test_parquet__rows_are_checked_against_their_hash_unless_told_not_to(tmp_path: Path) -> None:
    path = write(tmp_path / "p.parquet", metadata={"content_sha256": "0" * 64})
    with pytest.raises(PredictionsError, match="rows are not those that were written"):
        read_predictions(path)
    assert len(read_predictions(path, verify=False)) == 3


def flipped(content: bytes, bit: int) -> bytes:
    changed = bytearray(content)
    changed[bit // 8] ^= 1 << bit % 8
    return bytes(changed)


def test_parquet__no_single_bit_changes_a_value_unnoticed(tmp_path: Path) -> None:
    path = write_verified(tmp_path / "p.parquet")
    expected, content = read_predictions(path), path.read_bytes()
    refused = 0
    for bit in np.random.default_rng(4).integers(8 * len(content), size=100).tolist():
        path.write_bytes(flipped(content, bit))
        try:
            found = read_predictions(path)
        except PredictionsError:
            refused += 1
            continue
        assert same(found, expected, vector=True), bit
        assert found.metadata == expected.metadata, bit
    assert refused > 50


def test_no_verify__takes_a_damaged_file_as_it_is(tmp_path: Path) -> None:
    path = write_verified(tmp_path / "p.parquet", {"recipe": "nemo"})
    content = path.read_bytes()
    path.write_bytes(content.replace(b'"recipe": "nemo"', b'"recipe": "meno"'))
    with pytest.raises(PredictionsError, match="metadata are not those that were written"):
        read_predictions(path)
    assert read_predictions(path, verify=False).metadata["recipe"] == "meno"


def test_similar__no_single_bit_changes_an_embedding_unnoticed(tmp_path: Path) -> None:
    path = tmp_path / "index.parquet"
    embeddings = np.random.default_rng(1).normal(size=(40, 16)).astype(np.float32)
    rows = [
        Prediction(
            f"i{n}", f"{n}.png", 8, 6, None, np.full(3, 0.5, np.float32), 0.5, embedding=embedding
        )
        for n, embedding in enumerate(embeddings)
    ]
    columns = Columns(3, n_features=16)
    write_tables(
        [to_table(rows, _IDS, columns)],
        path,
        schema=columns.schema(),
        metadata=lambda: {"schema_version": 1, "bundle_hash": "abc"},
        fallback_ids=_IDS,
    )
    expected, content = nearest(path, embeddings[3], bundle_hash="abc"), path.read_bytes()
    for bit in np.random.default_rng(5).integers(8 * len(content), size=50).tolist():
        path.write_bytes(flipped(content, bit))
        try:
            assert nearest(path, embeddings[3], bundle_hash="abc") == expected, bit
        except PredictionsError:
            continue


def _shard(path: Path, number: int, **more: object) -> Path:
    metadata = {
        **more,
        "schema_version": 1,
        "categories": _CATEGORIES,
        "n_images": 1,
        "started": "a",
        "ended": "b",
        "command": "c",
        "shard": {"number": number, "count": 2, "n_images": 2},
    }
    return write_verified(path, metadata, rows=predictions()[number - 1 : number])


@pytest.mark.parametrize("suffix", [".parquet", ".jsonl", ".csv"])
def test_read__a_file_of_an_earlier_version_names_the_dtype_of_its_network(
    tmp_path: Path, suffix: str
) -> None:
    network = {"runtime": "onnxruntime", "device": "cpu", "precision": "int8", "reason": "asked"}
    path = tmp_path / f"p{suffix}"
    if suffix == ".csv":
        told = json.loads(provenance_path(write_earlier_csv(path)).read_text())
        provenance_path(path).write_text(json.dumps({**told, "network": network}))
    else:
        write(path, metadata={"network": network})
    table = read_predictions(path)
    assert table.metadata["network"]["dtype"] == "int8"
    assert "precision" not in table.metadata["network"]


def test_merge__shards_of_two_versions_that_name_the_dtype_differently(tmp_path: Path) -> None:
    shards = [
        _shard(tmp_path / "1.parquet", 1, network={"runtime": "openvino", "precision": "int8"}),
        _shard(tmp_path / "2.parquet", 2, network={"runtime": "openvino", "dtype": "int8"}),
    ]
    out = tmp_path / "out.parquet"
    assert merge_shards(shards, out).n_images == 2
    assert read_predictions(out).metadata["network"] == {"runtime": "openvino", "dtype": "int8"}


def test_merge__checks_every_shard(tmp_path: Path) -> None:
    shards = [_shard(tmp_path / f"{number}.parquet", number) for number in (1, 2)]
    whole = write(tmp_path / "whole.parquet")
    assert merge_shards(shards, tmp_path / "out.parquet").n_images == 2
    content = shards[1].read_bytes()
    out = tmp_path / "other.parquet"
    refused = 0
    for bit in np.random.default_rng(6).integers(8 * len(content), size=30).tolist():
        shards[1].write_bytes(flipped(content, bit))
        try:
            summary = merge_shards(shards, out, overwrite=True)
        except (PredictionsError, SettingsError):
            refused += 1
            continue
        assert summary.content_sha256 == content_hash(tmp_path / "out.parquet"), bit
    assert refused > 10
    with pytest.raises(PredictionsError, match="not the file of a shard"):
        merge_shards([whole], tmp_path / "x.parquet")


@pytest.mark.parametrize("shard", [3, {"number": "1"}, {"number": 1, "count": True}])
def test_merge__metadata_of_another_shape_are_told(tmp_path: Path, shard: object) -> None:
    path = write(tmp_path / "p.parquet", metadata={"shard": shard, "n_images": 3})
    with pytest.raises(PredictionsError, match="must say number, count and n_images"):
        merge_shards([path], tmp_path / "out.parquet")
