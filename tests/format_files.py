"""Files of our formats, made from a seed by the writers themselves, for checks of formats."""

from __future__ import annotations

from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np

from finding_nemo.adaptation.files.adapted_file import AdaptedRows, write_adapted
from finding_nemo.core.assessment import Answer, Assessment, GuessEvidence
from finding_nemo.core.files.table_files import TableWriter
from finding_nemo.core.records import Prediction, Split, SplitRow
from finding_nemo.data.splits.split_csv import write_split
from finding_nemo.models.bundle.bundle import write_bundle
from finding_nemo.models.bundle.manifest import BundleManifest, ValidationSummary
from finding_nemo.results.columns import to_table
from finding_nemo.results.content_hash import ContentHash
from finding_nemo.results.schema import Columns, SpreadsheetLayout
from finding_nemo.results.writers import write_tables
from finding_nemo.reviewing.review_categories import as_list
from finding_nemo.reviewing.review_exports import COLUMNS as REVIEW_COLUMNS

# Names that files of people hold: formulas, separators, quotes, marks, other scripts.
_ODD = (
    "=SUM(A1)",
    "a;b",
    'a "b"',
    "Käfer",
    "ホヤ",
    "+1",
    "@x",
    " blank",
    "x,y",
    "$x$",
    "-",
    "O'Hara",
)
_BEGAN = datetime(2020, 5, 1, 10, 0, 0)


def odd_text(rng: np.random.Generator, number: int) -> str:
    """Return a text that differs from those of other numbers."""
    return f"{_ODD[rng.integers(len(_ODD))]}{number}"


def drawn_predictions(seed: int, n_rows: int, n_categories: int) -> list[Prediction]:
    """Return predictions of frames, one in six of which failed."""
    rng = np.random.default_rng(seed)
    evidence = GuessEvidence(
        rng.integers(0, 90, n_categories).astype(np.int32),
        rng.integers(0, 9, n_categories).astype(np.int32),
        np.where(rng.random(n_categories) < 0.3, np.nan, rng.random(n_categories)).astype(
            np.float32
        ),
    )
    found = []
    for number in range(n_rows):
        name = odd_text(rng, number)
        if number % 6 == 5:
            found.append(Prediction(name, f"{name}.png", None, None, "is empty", None, None))
            continue
        probabilities = rng.random(n_categories).astype(np.float32)
        probabilities[rng.integers(n_categories)] = rng.integers(2)
        assessment = Assessment(
            evidence,
            float(rng.random()) if seed % 3 else float("nan"),
            rng.normal(size=2).astype(np.float32),
            (1,),
            (1, 2),
            "animal 0",
            float(rng.random()),
            "category",
            float(rng.random()),
        )
        answer = Answer(
            text=odd_text(rng, 0),
            level="category" if number % 2 else "supercategory",
            confidence=("sure", "likely", "guess")[number % 3],
            probability=float(rng.random()),
            why="Because.",
        )
        found.append(
            Prediction(
                name,
                f"{name}.png",
                int(rng.integers(1, 4000)),
                int(rng.integers(1, 3000)),
                None,
                probabilities,
                float(rng.normal()),
                time_s=float(number) if seed % 2 else None,
                embedding=rng.normal(size=4).astype(np.float32),
                assessment=assessment if seed % 4 else None,
                answer=answer,
                dive=odd_text(rng, number % 3) if seed % 5 else None,
                captured=_BEGAN + timedelta(seconds=number),
                ranking_scores=rng.normal(size=n_categories).astype(np.float32)
                if seed % 2
                else None,
            )
        )
    return found


def table_of_categories(n_categories: int) -> list[dict[str, Any]]:
    """Return the table of categories as the metadata of predictions hold it."""
    return [
        {
            "category_id": number + 1,
            "name": f"animal {number}",
            "supercategory": f"group {number % 2}",
            "n_images": number,
            "n_dives": 1,
            "validation_ap": None,
        }
        for number in range(n_categories)
    ]


def write_drawn_predictions(path: Path, seed: int, *, n_rows: int = 7) -> Path:
    """Write predictions in the format that the suffix of `path` says."""
    n_categories = 3 + seed % 30
    names = tuple(f"animal {k}" for k in range(n_categories))
    columns = Columns(
        n_categories,
        with_vector=seed % 3 != 1,
        with_time=bool(seed % 2),
        n_features=4 if seed % 2 else 0,
        category_names=names if seed % 7 else (),
    )
    rows = drawn_predictions(seed, n_rows, n_categories)
    table = to_table(rows, range(1, n_categories + 1), columns)
    digest = ContentHash(table.schema)
    digest.add(table)
    told = {
        "schema_version": 1,
        "categories": table_of_categories(n_categories),
        "novelty_scores": ["vim", "combined"],
        "content_sha256": digest.hexdigest(),
        **({"ranking": "shown"} if seed % 2 else {}),
    }
    layout = SpreadsheetLayout(guesses=1 + seed % 20, with_ids=bool(seed % 2))
    write_tables(
        [table],
        path,
        schema=columns.schema(),
        metadata=lambda: told,
        fallback_ids=[1],
        layout=layout,
    )
    return path


def write_drawn_adapted(path: Path, seed: int) -> Path:
    """Write adapted predictions beside those that they were adapted from."""
    n_rows, n_categories = 7, 3 + seed % 30
    source = write_drawn_predictions(path.with_name(f"base-{path.stem}.parquet"), seed)
    rng = np.random.default_rng(seed)
    failed = [number % 6 == 5 for number in range(n_rows)]
    methods = [
        "failed" if has_failed else ("reviewed", "adapted")[number % 2]
        for number, has_failed in enumerate(failed)
    ]
    rows = AdaptedRows(
        probabilities=rng.random((n_rows, n_categories)).astype(np.float32),
        methods=methods,
        present=rng.random((n_rows, n_categories)) < 0.2,
        categories=table_of_categories(n_categories),
    )
    told = {"schema_version": 1, "categories": table_of_categories(n_categories)}
    write_adapted(source, rows, path, metadata=lambda summary: told)
    return path


def write_drawn_reviews(path: Path, seed: int) -> Path:
    """Write reviews as a session writes them."""
    rng = np.random.default_rng(seed)
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = TableWriter(file)
        writer.write(REVIEW_COLUMNS)
        for number in range(1 + seed % 9):
            seen = [odd_text(rng, k) for k in range(rng.integers(0, 4))]
            as_ids = " ".join(map(str, rng.permutation(300)[:3]))
            cells = (as_ids, "") if seed % 2 else (as_list(seen), as_list(["never seen"]))
            name = odd_text(rng, number)
            done = ("yes", "no")[number % 2]
            time = "2026-03-04T10:00:00+00:00"
            words = (as_list(seen), f"{name}.png", odd_text(rng, 1))
            writer.write((name, cells[0], done, odd_text(rng, 2), time, cells[1], *words))
    return path


def write_drawn_split(path: Path, seed: int) -> Path:
    """Write a split by dive, in parts or in folds."""
    rng = np.random.default_rng(seed)
    parts = ("train", "val", "test") if seed % 2 else ("fold0", "fold1", "fold2")
    rows = []
    for number in range(3 + seed % 20):
        dive = "" if seed % 5 == 4 else odd_text(rng, number % 3)
        rows.append(SplitRow(odd_text(rng, number), dive, parts[number % 3]))
    write_split(Split(tuple(rows)), path)
    return path


def write_drawn_bundle(folder: Path, manifest: BundleManifest, network: bytes, seed: int) -> Path:
    """Write a bundle with the network of another one, and other words and weights."""
    rng = np.random.default_rng(seed)
    categories = [
        entry.model_copy(
            update={
                "name": odd_text(rng, number),
                "n_dives": int(rng.integers(9)),
                "validation_ap": float(rng.random()) if number % 2 else None,
            }
        )
        for number, entry in enumerate(manifest.categories)
    ]
    score, low = float(rng.random()), float(rng.random())
    summary = ValidationSummary(
        n_images=9, n_dives=2, map_at_20=score, map_at_20_ci=(low, 1.0), prior_map_at_20=0.4
    )
    update = {"categories": tuple(categories), "validation": summary if seed % 2 else None}
    slopes = rng.normal(size=len(categories)).astype(np.float32)
    tensors = {"calibration.slope": slopes, "calibration.offset": slopes}
    write_bundle(
        folder,
        manifest.model_copy(update=update),
        weights={"head": rng.normal(size=(4, 1 + seed)).astype(np.float32)},
        novelty=tensors if seed % 3 else {},
        network=network,
    )
    return folder
