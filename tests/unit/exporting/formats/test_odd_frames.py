"""Whatever frames hold, each form is written so that a reader of its own finds the same again.

`FINDING_NEMO_FUZZ=2000` tries 2,000 inputs a form. The readers are none of the project's.
"""

from __future__ import annotations

import os
import tempfile
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from export_readers import READERS, json_of
from exported_frames import job, odd_frames
from finding_nemo.core.errors import PredictionsError
from finding_nemo.core.names.registries import load
from finding_nemo.exporting.export_frame import ExportFrame, plain_text
from finding_nemo.exporting.export_kinds import EXPORT_KINDS
from finding_nemo.exporting.formats.megadetector import NO_NAME

_N = int(os.environ.get("FINDING_NEMO_FUZZ", "5"))
Frames = list[ExportFrame]


def _names(frame: ExportFrame, *, twice: bool, plain: bool) -> list[str]:
    names = [label.name for label in (frame.labels if twice else frame.one_voice)]
    return sorted(plain_text(name) if plain else name for name in names)


def _twice_by_path(frames: Frames) -> bool:
    """Return whether two frames are named by one path; others are named by their own file names."""
    paths = [f.path for f in frames if os.path.isabs(f.path) and "#t=" not in f.file_name]
    return len(set(paths)) < len(paths)


def test_every_form__has_a_reader() -> None:
    assert set(EXPORT_KINDS) == set(READERS)


# These two say no names of labels that a reader could return; they have tests of their own.
_NAMING = sorted(set(READERS) - {"ifdo-2.1.0", "submission"})


@pytest.mark.parametrize("kind", _NAMING)
@settings(
    max_examples=_N,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow],
)
@given(frames=odd_frames())
def test_odd_frames__are_found_again(kind: str, frames: Frames) -> None:
    reader, twice, plain, with_empty = READERS[kind]
    with tempfile.TemporaryDirectory() as folder:
        out = Path(folder) / f"out{EXPORT_KINDS[kind].suffix}"
        if not EXPORT_KINDS[kind].suffix:
            out.mkdir()
        write = load(EXPORT_KINDS[kind].writer)
        if kind == "fiftyone" and _twice_by_path(frames):
            with pytest.raises(PredictionsError, match="Two frames are the file"):
                write(iter(frames), job(frame_boxes=False), out)
            return
        write(iter(frames), job(frame_boxes=False), out)
        found = reader(out)
    wanted = [_names(frame, twice=twice, plain=plain) for frame in frames]
    if kind == "megadetector":
        wanted = [sorted(name if name.strip() else NO_NAME for name in each) for each in wanted]
    if kind == "label-studio":  # its choices are told apart by their names, each voice by itself
        choices = [{(each.means, plain_text(each.name)) for each in f.labels} for f in frames]
        wanted = [sorted(name for _, name in each) for each in choices]
    if kind == "fiftyone":
        assert sorted(len(names) for _, names in found) == sorted(map(len, wanted))
    kept = wanted if with_empty else [names for names in wanted if names]
    assert [sorted(names) for _, names in found] == kept


@settings(max_examples=_N, deadline=None)
@given(frames=odd_frames(), with_boxes=st.booleans())
def test_biigles_ifdo__has_corners_of_whole_frames(frames: Frames, with_boxes: bool) -> None:
    with tempfile.TemporaryDirectory() as folder:
        out = Path(folder) / "out.json"
        load(EXPORT_KINDS["ifdo-2.1.0"].writer)(iter(frames), job(frame_boxes=with_boxes), out)
        items = json_of(out)["image-set-items"]
    for frame in frames:
        shapes = items[frame.file_name].get("image-annotations", [])
        assert len(shapes) == (len(frame.one_voice) if frame.width and frame.height else 0)
        for shape in shapes:
            (corners,) = shape["coordinates"]
            assert corners == [0, 0, frame.width, 0, frame.width, frame.height, 0, frame.height]
