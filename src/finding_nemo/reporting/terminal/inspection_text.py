"""A data set on the terminal."""

from __future__ import annotations

from collections.abc import Sequence

from finding_nemo.core.records import ImageRecord
from finding_nemo.core.text.plurals import in_number
from finding_nemo.data.quality.file_check import FileCheck, count_faults
from finding_nemo.evaluation.dataset.baseline_protocols import BaselineScore, Protocol
from finding_nemo.evaluation.dataset.dataset_statistics import Exploration
from finding_nemo.evaluation.dataset.inspect_dataset import WHY_NO_PROTOCOLS, Inspection
from finding_nemo.reporting.html.page import format_share
from finding_nemo.reporting.terminal.evaluation_text import print_line, print_split, print_table

_N_CATEGORIES = 10
_N_REASONS = 5
_N_NAMES = 3
_CAUTIONS = {
    "random": "; test frames are drawn one by one, so neighbours of the same dive are trained on, "
    "which flatters the score",
    "dive": "; what to expect of a new dive",
}


def print_inspection(found: Inspection) -> None:
    """Write all that was found."""
    print_exploration(found.exploration)
    if found.protocols:
        print_protocols(found.protocols)
    else:
        print_line(WHY_NO_PROTOCOLS)
    if found.parts:
        print_split(found.parts)
    if found.check:
        print_file_check(found.check)


def print_exploration(found: Exploration) -> None:
    """Write the counts."""
    print_table(
        ("annotation file", "images", "annotated", "dives"),
        [
            (o.name, f"{o.n_images:,}", f"{o.n_annotated:,}", f"{o.n_dives:,}")
            for o in found.origins
        ],
    )
    for line in _facts(found):
        print_line(line)
    print_line("")
    most = found.categories[:_N_CATEGORIES]
    print_table(
        ("most frequent categories", "images", "dives"),
        [(c.name, f"{c.n_images:,}", f"{c.n_dives:,}") for c in most if c.n_images],
    )


def _facts(found: Exploration) -> list[str]:
    lines = [
        in_number(found.n_boxes, "box", "boxes"),
        f"{in_number(len(found.categories), 'category', 'categories')} in "
        f"{in_number(len(found.supercategories), 'supercategory', 'supercategories')}; "
        f"{found.n_without_image} without an annotated image, {found.n_scarce} with 1 to 5 images, "
        f"{found.n_single_dive} on one dive only",
    ]
    if len(found.origins) > 1:
        lines.append(f"{in_number(found.n_shared_dives, 'dive')} in more than one annotation file")
    if found.n_timed:
        lines.append(
            f"{in_number(found.n_timed, 'image')} with a time: "
            f"{format_share(found.within_10_s)} within 10 s of another of their dive, "
            f"{format_share(found.within_60_s)} within 60 s"
        )
    if found.animals:
        a = found.animals
        lines.append(
            f"half of the boxes are under {a.median_width_px:.0f} px wide; squeezed to 224 px, "
            f"under {a.median_squeezed_px:.0f} px, and {format_share(a.tiny_share)} under 16 px"
        )
    return lines


def print_protocols(protocols: Sequence[Protocol]) -> None:
    """Write the baselines on random splits beside those by dive."""
    print_table(
        ("MAP@20, no image opened", *(f"{protocol.name}" for protocol in protocols)),
        [
            ("prior (class frequency)", *(_score(p.prior) for p in protocols)),
            ("  from split to split", *(_span(p.prior) for p in protocols)),
            ("  95 % interval by dive, width", *(_width(p.prior) for p in protocols)),
            ("  each dive counts once", *(f"{p.prior.by_dive:.3f}" for p in protocols)),
            ("time-copy (nearest frame)", *(_score(p.time_copy) for p in protocols)),
            ("  from split to split", *(_span(p.time_copy) for p in protocols)),
            ("  95 % interval by dive, width", *(_width(p.time_copy) for p in protocols)),
            ("  each dive counts once", *(f"{p.time_copy.by_dive:.3f}" for p in protocols)),
            ("test frames with a training", *("" for _ in protocols)),
            ("  frame of their dive", *(format_share(p.same_dive) for p in protocols)),
            ("  frame of it within 10 s", *(format_share(p.within_10_s) for p in protocols)),
        ],
    )
    for protocol in protocols:
        print_line(f"{protocol.name}: means over {protocol.about}{_CAUTIONS[protocol.name]}")
    print_line("")


def _score(score: BaselineScore) -> str:
    return f"{score.map_at_20:.3f}"


def _span(score: BaselineScore) -> str:
    return f"{score.lowest:.3f} to {score.highest:.3f}"


def _width(score: BaselineScore) -> str:
    return f"{score.interval_width:.3f}"


def print_file_check(check: FileCheck) -> None:
    """Write what opening the files showed, with each reason's first file."""
    print_line(
        f"{in_number(check.n_checked, 'file')}: {len(check.missing):,} missing, "
        f"{len(check.unreadable):,} unreadable, {len(check.resized):,} not of the recorded size, "
        f"{in_number(len(check.duplicates), 'group')} of equal files, {_look_alikes(check)}"
    )
    for faults in (check.missing, check.unreadable):
        for count in count_faults(faults)[:_N_REASONS]:
            print_line(f"  {count.n_files:,} x {count.reason}: {count.first.path}")
    for fault in check.resized[:3]:
        print_line(f"  {fault.path}: {fault.reason}")
    for group in check.duplicates[:3]:
        print_line(f"  equal: {names_of(group)}")


def _look_alikes(check: FileCheck) -> str:
    if not check.n_usable:
        return "look-alikes not known: no file could be used"
    at_least = "" if check.is_near_complete else "at least "
    return (
        f"{at_least}{in_number(check.n_near_across, 'frame')} with a look-alike in another dive, "
        f"{at_least}{check.n_near_in_dive:,} with one in their own"
    )


def names_of(records: Sequence[ImageRecord]) -> str:
    """Return the first names of some images, and how many more there are."""
    names = ", ".join(record.image_id for record in records[:_N_NAMES])
    more = len(records) - _N_NAMES
    return f"{names} and {more:,} more" if more > 0 else names
