"""The page of doubtful labels: names are text, and nothing found is said."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from PIL import Image

from finding_nemo.core.categories import Category, CategoryTable
from finding_nemo.core.records import Dataset, ImageRecord
from finding_nemo.evaluation.label_errors.contradictions import Contradiction
from finding_nemo.evaluation.label_errors.find_label_errors import LabelErrors
from finding_nemo.evaluation.label_errors.suspect_labels import SuspectLabel
from finding_nemo.reporting.html.label_errors_page import write_label_errors_page
from finding_nemo.reporting.terminal.label_errors_text import label_error_lines


def suspect() -> SuspectLabel:
    return SuspectLabel(
        rank=1,
        kind="wrong",
        image_id="a",
        dive="dive <1>",
        category="<b>crab</b>",
        category_id=1,
        score=0.01,
        other_score=None,
        is_likely=True,
        suggestion="eel",
        why="0 of the 10 most similar frames of its dive have it; others, too",
        compare_with="b",
    )


def errors(*wrong: SuspectLabel, pairs: tuple[Contradiction, ...] = ()) -> LabelErrors:
    return LabelErrors(n_frames=2, n_labels=3, wrong=wrong, missing=(), contradictions=pairs)


def dataset(folder: Path) -> Dataset:
    Image.fromarray(np.zeros((20, 30, 3), dtype=np.uint8)).save(folder / "a.png")
    table = CategoryTable((Category(1, "<b>crab</b>", ""), Category(2, "eel", "")))
    records = (ImageRecord("a", folder / "a.png", (1,)), ImageRecord("b", folder / "b.png", (2,)))
    return Dataset(folder, table, records)


def test_page__shows_both_frames_and_escapes_names(tmp_path: Path) -> None:
    pair = Contradiction(
        image_ids=("a", "b"),
        dives=("d", "d"),
        names=(("<b>crab</b>",), ("eel",)),
        likeness="likeness 0.95 of 1",
    )
    path = tmp_path / "page.html"
    found = errors(suspect(), pairs=(pair,))
    write_label_errors_page(found, dataset(tmp_path), path, name="it", review="finding-nemo review")
    page = path.read_text(encoding="utf-8")
    assert "<b>crab" not in page
    assert "&lt;b&gt;crab&lt;/b&gt;, or rather eel?" in page
    assert page.count("data:image/jpeg") == 2
    assert page.count("no picture") == 2
    assert "likely an error" in page


def test_page_of_nothing__says_so(tmp_path: Path) -> None:
    write_label_errors_page(errors(), dataset(tmp_path), tmp_path / "page.html", name="it")
    assert (tmp_path / "page.html").read_text(encoding="utf-8").count("None was found.") == 3


def test_terminal__says_label_frame_reason_and_suggestion() -> None:
    lines = label_error_lines(errors(suspect()))
    assert "  1 are likely wrong; the list goes on to the 1 most doubtful" in lines
    reason = "0 of the 10 most similar frames of its dive have it"
    assert f"    <b>crab</b> in a: {reason}; perhaps eel" in lines
