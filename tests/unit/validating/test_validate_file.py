"""Files as the writers write them are good; each seeded fault is found, and named."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from safetensors.numpy import save

from finding_nemo import load_bundle
from finding_nemo.results.file_metadata import to_file_metadata
from finding_nemo.results.schema import METADATA_KEY
from finding_nemo.validating.fault_list import FileReport
from finding_nemo.validating.validate_file import validate_file
from format_files import (
    write_drawn_adapted,
    write_drawn_bundle,
    write_drawn_predictions,
    write_drawn_reviews,
    write_drawn_split,
)

_SEED = 8  # with vector and assessment, ranked by probability


# --- 200 good files


def _complaints(report: FileReport, wanted: str) -> str:
    assert report.format_name == wanted, report
    return "\n".join(fault.sentence for fault in report.faults)


@pytest.mark.parametrize("seed", range(20))
def test_validate_file__good_predictions(seed: int, tmp_path: Path) -> None:
    for suffix, wanted in (("parquet", "predictions"), ("jsonl", "predictions"), ("csv", "table")):
        path = write_drawn_predictions(tmp_path / f"p.{suffix}", seed)
        assert not _complaints(validate_file(path), wanted)
    assert not _complaints(
        validate_file(write_drawn_adapted(tmp_path / "adapted.parquet", seed)), "predictions"
    )


def test_validate_file__good_reviews_and_splits(tmp_path: Path) -> None:
    for seed in range(50):
        path = write_drawn_reviews(tmp_path / f"r{seed}.csv", seed)
        assert not _complaints(validate_file(path), "reviews")
        path = write_drawn_split(tmp_path / f"s{seed}.csv", seed)
        assert not _complaints(validate_file(path), "split")


def test_validate_file__good_bundles(tmp_path: Path, small_bundle: Path) -> None:
    bundle = load_bundle(small_bundle)
    network = bundle.network_bytes()
    for seed in range(20):
        folder = tmp_path / f"b{seed}"
        write_drawn_bundle(folder, bundle.manifest, network, seed)
        assert not _complaints(validate_file(folder), "bundle")


# --- 10 faults of predictions

Rows = list[dict[str, Any]]


def _rewritten(path: Path, change: Callable[[Rows], Any], **told: Any) -> None:
    """Write a file anew with other values and the metadata that it had."""
    table = pq.read_table(path)
    metadata = json.loads(pq.ParquetFile(path).metadata.metadata[METADATA_KEY])
    metadata.pop("content_sha256")
    rows = table.to_pylist()
    change(rows)
    with pq.ParquetWriter(path, table.schema.remove_metadata()) as writer:
        writer.write_table(pa.Table.from_pylist(rows, schema=table.schema.remove_metadata()))
        writer.add_key_value_metadata(to_file_metadata({**metadata, **told}))


def _without_column(path: Path) -> None:
    table = pq.read_table(path)
    pq.write_table(table.drop_columns(["novelty"]), path)


def _with_text_for_width(path: Path) -> None:
    table = pq.read_table(path)
    place = table.column_names.index("width")
    pq.write_table(table.set_column(place, "width", pa.array(["wide"] * len(table))), path)


def _cut_off(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:-200])


def _other_rows(path: Path) -> None:
    table = pq.read_table(path)
    metadata = pq.ParquetFile(path).metadata.metadata
    with pq.ParquetWriter(path, table.schema.remove_metadata()) as writer:
        writer.write_table(table.slice(1).cast(table.schema.remove_metadata()))
        writer.add_key_value_metadata(metadata)


def _set(**values: Any) -> Callable[[Path], None]:
    def change(path: Path) -> None:
        _rewritten(path, lambda rows: rows[1].update(values))

    return change


def _nan_probability(path: Path) -> None:
    _rewritten(path, lambda rows: rows[1]["probabilities"].__setitem__(0, float("nan")))


def _over_one(path: Path) -> None:
    _rewritten(path, lambda rows: rows[1]["probabilities"].__setitem__(0, 1.5))


def _unsorted(path: Path) -> None:
    _rewritten(path, lambda rows: rows[1]["probabilities"].reverse())


def _strange_id(path: Path) -> None:
    _rewritten(path, lambda rows: rows[1]["categories"].__setitem__(0, 999))


def _twice(path: Path) -> None:
    _rewritten(path, lambda rows: rows[2].update(image_id=rows[1]["image_id"]))


# What is done to a good file, and where, at which column and with which words it is found.
Found = tuple[Callable[[Path], object], str, str, str]
PREDICTIONS: Mapping[str, Found] = {
    "missing column": (_without_column, "", "novelty", "missing"),
    "wrong type": (_with_text_for_width, "row 1", "width", "must be a number, got text"),
    "NaN probability": (_nan_probability, "row 2", "probabilities", "from 0 to 1"),
    "probability over 1": (_over_one, "row 2", "probabilities", "from 0 to 1"),
    "unsorted guesses": (_unsorted, "row 2", "probabilities", "best first"),
    "id outside the table": (_strange_id, "row 2", "categories", "999 is no id of the 11"),
    "image twice": (_twice, "row 3", "image_id", "has a row already (row 2)"),
    "truncated": (_cut_off, "", "", "cut off"),
    "other rows than were hashed": (_other_rows, "", "", "not those that were written"),
    "negative size": (_set(width=-64), "row 2", "width", "must be 1 or more, got -64"),
}


# --- 10 faults of bundles


def _manifest(folder: Path, change: Callable[[dict[str, Any]], Any]) -> None:
    path = folder / "bundle.json"
    content = json.loads(path.read_text())
    change(content)
    path.write_text(json.dumps(content))


def _told(change: Callable[[dict[str, Any]], Any]) -> Callable[[Path], None]:
    return lambda folder: _manifest(folder, change)


def _unhashed(folder: Path, name: str, content: bytes) -> None:
    """Write a file as if the bundle had been written with it."""
    (folder / name).write_bytes(content)
    _manifest(folder, lambda content: content.update(files={}))


BUNDLES: Mapping[str, Found] = {
    "no manifest": (
        lambda folder: (folder / "bundle.json").unlink(),
        "bundle.json",
        "",
        "is missing",
    ),
    "manifest cut off": (
        lambda folder: _cut_off(folder / "bundle.json"),
        "bundle.json",
        "",
        "is not JSON",
    ),
    "schema of another version": (
        _told(lambda m: m.update(schema_version=99)),
        "bundle.json",
        "",
        "schema version 99",
    ),
    "negative count": (
        _told(lambda m: m["categories"][2].update(n_images=-1)),
        "bundle.json",
        "categories.2.n_images",
        "greater than or equal to 0",
    ),
    "category twice": (
        _told(lambda m: m["categories"][2].update(category_id=1)),
        "bundle.json",
        "",
        "1",
    ),
    "control characters": (
        _told(lambda m: m["categories"][2].update(name="crab\x1b[2J")),
        "bundle.json",
        "categories.2.name",
        "control characters",
    ),
    "missing file": (
        lambda folder: (folder / "weights.safetensors").unlink(),
        "weights.safetensors",
        "",
        "is missing",
    ),
    "wrong hash": (
        lambda folder: (folder / "novelty.safetensors").write_bytes(
            save({"calibration.slope": np.ones(3, np.float32)})
        ),
        "novelty.safetensors",
        "",
        "damaged or changed",
    ),
    "weights that are not finite": (
        lambda folder: _unhashed(
            folder, "weights.safetensors", save({"head": np.array([1.0, np.inf], np.float32)})
        ),
        "weights.safetensors",
        "head",
        "not finite",
    ),
    "network of another shape": (
        _told(lambda m: m["preprocessing"].update(width_px=64)),
        "model.onnx",
        "",
        "any x 3 x 32 x 32",
    ),
}


# --- 10 faults each of reviews and splits


def _line(number: int, text: str) -> Callable[[Path], None]:
    """Put a text in the place of a line, which are counted from 1."""

    def change(path: Path) -> None:
        lines = path.read_text(encoding="utf-8").split("\n")
        lines[number - 1] = text
        path.write_text("\n".join(lines), encoding="utf-8")

    return change


def _bytes(content: bytes) -> Callable[[Path], object]:
    return lambda path: path.write_bytes(path.read_bytes() + content)


_REVIEWS = (
    "id,categories,complete,rejected\nf1,3 17,yes,\nf2,crab;fish,no,squid\nf3,,yes,\nf4,9,yes,\n"
)
REVIEWS: Mapping[str, Found] = {
    "missing column": (_line(1, "id,animals,complete,rejected"), "line 1", "", "categories"),
    "column twice": (_line(1, "id,categories,complete,complete"), "line 1", "", "there twice"),
    "no id": (_line(3, ",crab,no,"), "line 3", "id", "must not be empty"),
    "neither yes nor no": (_line(3, "f2,crab,maybe,"), "line 3", "complete", "got 'maybe'"),
    "too many cells": (_line(3, "f2,crab,fish,no,"), "line 3", "", "5 fields"),
    "list that does not end": (_line(3, "f2,\"['crab'\",no,"), "line 3", "", "without its ']'"),
    "seen and not seen": (_line(3, "f2,crab,no,crab"), "line 3", "rejected", "stands in cat"),
    "control characters": (_line(3, "f2,cr\x1bab,no,"), "line 3", "categories", "control"),
    "quote that does not close": (_line(5, 'f4,"crab,yes,'), "line 5", "", "not CSV"),
    "not text": (_bytes(b"f5,\xff\xfe\x00,yes,\n"), "", "", "UTF-8"),
}
_SPLIT = "id,dive,part\na,1,train\nb,1,train\nc,2,val\nd,3,test\n"
SPLITS: Mapping[str, Found] = {
    "missing column": (_line(1, "id,dive,fold"), "line 1", "", "column part is missing"),
    "dive column missing": (_line(1, "id,cruise,part"), "line 1", "", "column dive is missing"),
    "dive missing": (_line(3, "b,,train"), "line 3", "dive", "must not be empty"),
    "no part": (_line(3, "b,1,"), "line 3", "", "id and part must not be empty"),
    "no id": (_line(3, ",1,train"), "line 3", "", "id and part must not be empty"),
    "image twice": (_line(3, "a,1,train"), "line 3", "", "'a' is there already"),
    "too few cells": (_line(3, "b,train"), "line 3", "", "2 fields"),
    "control characters": (_line(3, "b,1,tr\x07ain"), "line 3", "part", "control"),
    "no image": (lambda path: path.write_text("id,dive,part\n"), "", "", "no image"),
    "text behind the columns": (_line(3, "b,1,train,x"), "line 3", "", "4 fields"),
}


def _check(path: Path, wanted: str, found: Found) -> None:
    """Do to a good file what `found` says, and look for the fault of it."""
    change, where, column, words = found
    assert validate_file(path).is_good
    change(path)
    report = validate_file(path)
    assert report.format_name == wanted
    assert not report.is_good
    hits = [
        fault
        for fault in report.faults
        if where in (fault.where, "") and column in (fault.column, "") and words in fault.words
    ]
    assert hits, "\n".join(fault.sentence for fault in report.faults)


@pytest.mark.parametrize("name", PREDICTIONS)
def test_validate_file__faults_of_predictions(name: str, tmp_path: Path) -> None:
    path = write_drawn_predictions(tmp_path / "p.parquet", _SEED)
    _check(path, "predictions", PREDICTIONS[name])


@pytest.mark.parametrize("name", BUNDLES)
def test_validate_file__faults_of_bundles(name: str, tmp_path: Path, small_bundle: Path) -> None:
    folder = tmp_path / "bundle"
    shutil.copytree(small_bundle, folder)
    _check(folder, "bundle", BUNDLES[name])


@pytest.mark.parametrize("name", REVIEWS)
def test_validate_file__faults_of_reviews(name: str, tmp_path: Path) -> None:
    path = tmp_path / "reviews.csv"
    path.write_text(_REVIEWS, encoding="utf-8")
    _check(path, "reviews", REVIEWS[name])


@pytest.mark.parametrize("name", SPLITS)
def test_validate_file__faults_of_splits(name: str, tmp_path: Path) -> None:
    path = tmp_path / "split.csv"
    path.write_text(_SPLIT, encoding="utf-8")
    _check(path, "split", SPLITS[name])


def test_validate_file__there_are_forty_faults() -> None:
    assert [len(each) for each in (PREDICTIONS, BUNDLES, REVIEWS, SPLITS)] == [10] * 4


def test_validate_file__an_answer_may_be_of_any_rank_but_no_other_level(tmp_path: Path) -> None:
    path = write_drawn_predictions(tmp_path / "ranks.parquet", _SEED)
    _set(answer_level="family")(path)  # as `predict --ranks` writes it
    assert validate_file(path).is_good
    path = write_drawn_predictions(tmp_path / "other.parquet", _SEED)
    _set(answer_level="clan")(path)
    (fault,) = validate_file(path).faults
    assert (fault.where, fault.column) == ("row 2", "answer_level")
    assert fault.words.endswith("got 'clan'.")


# --- all at once


def test_validate_file__all_faults_of_a_file_at_once(tmp_path: Path) -> None:
    path = tmp_path / "split.csv"
    path.write_text("id,dive,part\na,1,train\na,1,test\n,1,test\nb,1\nc,1,val\n")
    report = validate_file(path)
    assert [fault.where for fault in report.faults] == ["line 3", "line 4", "line 5"]
    assert report.n_rows == 2


def test_validate_file__counts_those_that_it_does_not_list(tmp_path: Path) -> None:
    path = tmp_path / "split.csv"
    path.write_text("id,dive,part\n" + "a,1,train\n" * 50)
    report = validate_file(path, most=3)
    assert (report.n_faults, len(report.faults)) == (49, 3)


def test_validate_file__faults_of_text_files_of_predictions(tmp_path: Path) -> None:
    path = write_drawn_predictions(tmp_path / "p.jsonl", _SEED)
    rows = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
    rows[1]["width"], rows[2]["image_id"] = "wide", rows[0]["image_id"]
    del rows[3]["novelty"]
    lines = [json.dumps(row) for row in rows]
    path.write_text("\n".join([*lines[:-1], lines[-1][:20]]), encoding="utf-8")
    found = {(fault.where, fault.column) for fault in validate_file(path).faults}
    assert {("line 2", "width"), ("line 3", "image_id")} <= found
    assert {where for where, _ in found} == {"line 2", "line 3", "line 4", "line 7"}


def test_validate_file__faults_of_the_table_for_people(tmp_path: Path) -> None:
    path = write_drawn_predictions(tmp_path / "p.csv", _SEED)
    lines = path.read_text(encoding="utf-8-sig").splitlines()
    names, cells = lines[0].split(","), lines[1].split(",")
    cells[names.index("confidence")] = "certain"
    cells[names.index("probability1")] = "7"
    path.write_text("\n".join([lines[0], ",".join(cells), *lines[2:]]), encoding="utf-8")
    found = [(fault.where, fault.column) for fault in validate_file(path).faults]
    assert found == [("line 2", "confidence"), ("line 2", "probability1")]


def test_validate_file__faults_of_a_submission(tmp_path: Path) -> None:
    path = tmp_path / "submission.csv"
    path.write_text("id,categories,osd\na,1 2,0.5\nb,1 1,x\na,1,\nc,,1\n")
    found = [(fault.where, fault.column) for fault in validate_file(path).faults]
    assert found == [
        ("line 3", "osd"),
        ("line 4", "osd"),
        ("line 5", "categories"),
        ("line 4", "id"),
    ]


@pytest.mark.parametrize("content", ["", "hello\n", "x,y\n1,2\n"])
def test_validate_file__says_when_it_knows_no_format(content: str, tmp_path: Path) -> None:
    path = tmp_path / "some.csv"
    path.write_text(content)
    report = validate_file(path)
    assert (report.format_name, report.n_faults) == ("", 1)


def test_validate_file__a_missing_file_is_a_fault(tmp_path: Path) -> None:
    assert "does not exist" in validate_file(tmp_path / "none.parquet").faults[0].words
