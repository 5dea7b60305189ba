"""Suspect labels on the terminal."""

from __future__ import annotations

from collections.abc import Sequence

from finding_nemo.core.text.plurals import in_number
from finding_nemo.evaluation.label_errors.find_label_errors import LabelErrors
from finding_nemo.evaluation.label_errors.suspect_labels import SuspectLabel
from finding_nemo.reporting.terminal.evaluation_text import print_line

_N_SHOWN = 5


def print_label_errors(found: LabelErrors) -> None:
    """Write how many labels are doubtful, and the first of each kind."""
    for line in label_error_lines(found):
        print_line(line)


def label_error_lines(found: LabelErrors) -> list[str]:
    """Return what the terminal shows, line by line."""
    lines = [
        "",
        f"labels: {found.n_labels:,} on {in_number(found.n_frames, 'frame')}, each compared "
        "with similar frames",
        f"  {found.n_likely_wrong:,} are likely wrong; the list goes on to the "
        f"{len(found.wrong):,} most doubtful",
    ]
    lines += _first(found.wrong)
    lines.append(
        f"  {found.n_likely_missing:,} are likely missing; the list goes on to "
        f"{len(found.missing):,}"
    )
    lines += _first(found.missing)
    lines.append(
        f"  {len(found.contradictions):,} pairs of frames of different clips look the same and "
        "have no label in common"
    )
    for pair in found.contradictions[:_N_SHOWN]:
        one, other = (", ".join(names) for names in pair.names)
        lines.append(f"    {one} in {pair.image_ids[0]}, {other} in {pair.image_ids[1]}")
    return lines


def _first(labels: Sequence[SuspectLabel]) -> list[str]:
    return [f"    {in_words(label)}" for label in labels[:_N_SHOWN]]


def in_words(label: SuspectLabel) -> str:
    """Return a suspect label as a sentence: the label, the frame, the first reason."""
    what = label.category if label.kind == "wrong" else f"no {label.category}"
    instead = f"; perhaps {label.suggestion}" if label.kind == "wrong" and label.suggestion else ""
    return f"{what} in {label.image_id}: {label.why.partition(';')[0]}{instead}"
