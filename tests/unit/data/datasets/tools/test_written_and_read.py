"""What `convert` writes is read again with the same labels, or refused with one clear error.

`FINDING_NEMO_FUZZ=2000` tries 2,000 inputs a form.
"""

from __future__ import annotations

import os
import tempfile
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings

from exported_frames import frame, job, odd_frames, person
from finding_nemo import read_dataset
from finding_nemo.core.errors import FindingNemoError
from finding_nemo.core.names.registries import load
from finding_nemo.core.records import Dataset
from finding_nemo.core.text.cells import is_nothing
from finding_nemo.exporting.export_frame import PERSON, ExportFrame, plain_text
from finding_nemo.exporting.export_kinds import EXPORT_KINDS

_N = int(os.environ.get("FINDING_NEMO_FUZZ", "3"))
_ADDRESS = "https://h/may/"
# From each form to the file of it that is read, and whether its texts are on one line.
_FORMS = {
    "ifdo": ("", False),
    "ifdo-2.1.0": ("", False),
    "biigle": ("image_labels.csv", True),
    "cvat": ("", True),
    "label-studio": ("tasks.json", True),
    "vars": ("", False),
}
_SETTINGS = settings(max_examples=_N, deadline=None, suppress_health_check=[HealthCheck.too_slow])


def written(kind: str, frames: list[ExportFrame], folder: Path) -> Path:
    out = folder / f"out{EXPORT_KINDS[kind].suffix}"
    if not EXPORT_KINDS[kind].suffix:
        out.mkdir()
    load(EXPORT_KINDS[kind].writer)(iter(frames), job(image_address=_ADDRESS), out)
    return out / _FORMS[kind][0]


def _truth(frame: ExportFrame, *, plain: bool) -> set[str]:
    names = [label.name for label in frame.labels if label.means == PERSON]
    return {(plain_text(name) if plain else name).strip() for name in names}


def _tidy(number: int, frame: ExportFrame) -> ExportFrame:
    """Return a frame whose file has a plain name, and whose labels are not blank, people first."""
    labels = [label for label in frame.labels if label.name.strip()]
    labels = [label for label in labels if plain_text(label.name).strip()]
    return replace(
        frame,
        file_name=f"{number}.png",
        width=frame.width or 64,
        height=frame.height or 48,
        labels=tuple(sorted(labels, key=lambda label: label.means != PERSON)),
    )


def _found(dataset: Dataset) -> dict[str, set[str] | None]:
    names = dict(zip(dataset.categories.ids, dataset.categories.names, strict=True))
    return {
        record.path.name: None
        if record.category_ids is None
        else {names[number] for number in record.category_ids}
        for record in dataset.records
    }


@pytest.mark.parametrize("kind", _FORMS)
@_SETTINGS
@given(frames=odd_frames())
def test_labels__are_the_same_whatever_they_are(kind: str, frames: list[ExportFrame]) -> None:
    tidy = [_tidy(number, each) for number, each in enumerate(frames)]
    # One plain frame more, so that there is a label of a person.
    tidy.append(frame("z", file_name="z.png", labels=(person("Crab"),)))
    plain = _FORMS[kind][1]
    with tempfile.TemporaryDirectory() as folder:
        dataset = read_dataset(written(kind, tidy, Path(folder)))
    expected = {each.file_name: _truth(each, plain=plain) or None for each in tidy}
    if kind == "vars":  # frames without labels are not in it
        expected = {name: truth for name, truth in expected.items() if name in _found(dataset)}
    assert _found(dataset) == expected
    if kind in ("ifdo", "ifdo-2.1.0", "label-studio"):
        for each, record in zip(tidy, dataset.records, strict=True):
            dive = each.dive.strip()
            assert record.dive == (None if is_nothing(dive) else dive)


@pytest.mark.parametrize("kind", _FORMS)
@_SETTINGS
@given(frames=odd_frames())
def test_odd_frames__are_read_or_refused_in_words(kind: str, frames: list[ExportFrame]) -> None:
    with tempfile.TemporaryDirectory() as folder:
        path = written(kind, frames, Path(folder))
        found = _read_or_refused(path)
    if isinstance(found, str):
        assert path.name in found or str(path.parent) in found
        assert len(found) < 1000
    else:
        assert len(found.records) <= len(frames)
        assert len(found.notices) < 20


def _read_or_refused(path: Path) -> Dataset | str:
    try:
        return read_dataset(path)
    except FindingNemoError as error:
        return str(error)
