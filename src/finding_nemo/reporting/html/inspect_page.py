"""A data set as a page: what is in it, how it is spread, and what its splits would leak."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from markupsafe import Markup

from finding_nemo.core.text.plurals import in_number
from finding_nemo.data.quality.file_check import FileCheck, FileFault, NearPair, count_faults
from finding_nemo.evaluation.dataset.baseline_protocols import BaselineScore, Protocol
from finding_nemo.evaluation.dataset.dataset_statistics import CategoryCount, Exploration
from finding_nemo.evaluation.dataset.inspect_dataset import WHY_NO_PROTOCOLS, Inspection
from finding_nemo.evaluation.evaluation_results import Measured
from finding_nemo.reporting.figures.palette import INK, MODEL, PRIOR, TIME_COPY
from finding_nemo.reporting.figures.scores_figure import ScoreLine, draw_scores
from finding_nemo.reporting.figures.svg import Draw, bars_svg, columns_svg, log_scale, svg_of
from finding_nemo.reporting.html.page import svg, thumbnail, write_page
from finding_nemo.reporting.terminal.inspection_text import names_of

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_N_TOP = 25
_N_SIZES = 8
_N_PAIRS_SHOWN = 6
_N_FAULTS = 200
_N_REASONS = 20


@dataclass(frozen=True, slots=True)
class InspectFigures:
    """The figures of the page; `None` where there is nothing to draw."""

    top: Markup | None
    groups: Markup | None
    group_sizes: Markup
    labels: Markup | None
    time: Markup | None
    dives: Markup | None
    animals: Markup | None
    sizes: Markup | None
    protocols: Markup | None


@dataclass(frozen=True, slots=True)
class Side:
    """One of two frames that look alike; `picture` is a data URI."""

    image_id: str
    dive: str
    picture: str | None


@dataclass(frozen=True, slots=True)
class NearShown:
    """Two frames that look alike."""

    sides: tuple[Side, Side]
    bits: int


def write_inspect_page(
    found: Inspection, path: Path, *, name: str, overwrite: bool = False
) -> None:
    """Write the page.

    Args:
        found: What was found.
        path: The page.
        name: The data set's name for the heading.
        overwrite: Whether an existing page may be replaced.

    Raises:
        OutputExistsError: If the page exists and `overwrite` is false.
    """
    e = found.exploration
    write_page(
        "inspect.html",
        path,
        overwrite=overwrite,
        title=f"What is in {name}?",
        lead=_in_words(e),
        e=e,
        notices=(*found.dataset.notices, *found.notices),
        protocols=found.protocols,
        parts=found.parts,
        check=found.check,
        n_top=_N_TOP,
        why_no_protocols=WHY_NO_PROTOCOLS,
        reasons=count_faults(_faults(found.check))[:_N_REASONS],
        faults=_fault_rows(found.check)[:_N_FAULTS],
        n_faults=len(_fault_rows(found.check)),
        near=[_near(pair) for pair in found.check.near[:_N_PAIRS_SHOWN]] if found.check else [],
        figures=_figures(e, found.protocols),
    )


def _in_words(e: Exploration) -> str:
    seen = len(e.categories) - e.n_without_image
    text = f"{in_number(e.n_images, 'image')}; {seen} of {len(e.categories)} categories have "
    text += "one or more."
    if e.within_10_s == e.within_10_s:
        text += (
            f" {100 * e.within_10_s:.0f} % of the timed frames have a neighbour of the same dive "
            "within 10 seconds, so frames split at random are not independent."
        )
    return text


def _figures(e: Exploration, protocols: tuple[Protocol, ...]) -> InspectFigures:
    top = [category for category in e.categories if category.n_images][:_N_TOP]
    groups = e.supercategories[:_N_TOP]
    held = [group for group in groups if group.n_images]
    sizes = dict(list(e.frame_sizes.items())[:_N_SIZES])
    names = [f"{width} x {height}" for width, height in sizes]
    on_dives = [category for category in e.categories if category.n_dives]
    return InspectFigures(
        top=_bars([c.name for c in top], [c.n_images for c in top], "images"),
        groups=_bars([g.name for g in held], [g.n_images for g in held], "images"),
        group_sizes=svg(
            bars_svg([g.name for g in groups], [g.n_categories for g in groups], label="categories")
        ),
        labels=_columns(
            {str(n): count for n, count in e.labels_per_image.items()}, "categories in the image"
        ),
        time=_columns(dict(e.over_time), "when they were filmed"),
        dives=_drawn(lambda axes: _draw_dives(axes, on_dives), 3.2) if on_dives else None,
        animals=_animals(e),
        sizes=_bars(names, list(sizes.values()), "images"),
        protocols=_drawn(lambda axes: _draw_protocols(axes, protocols), 2.6, width_in=8.4)
        if protocols
        else None,
    )


def _bars(names: Sequence[str], values: Sequence[float], label: str) -> Markup | None:
    return svg(bars_svg(names, values, label=label)) if names else None


def _columns(values: dict[str, int], label: str) -> Markup | None:
    return svg(columns_svg(list(values), list(values.values()), label=label)) if values else None


def _drawn(draw: Draw, height_in: float, *, width_in: float = 7.2) -> Markup:
    return svg(svg_of(draw, width_in=width_in, height_in=height_in))


def _animals(e: Exploration) -> Markup | None:
    if e.animals is None:
        return None
    widths = e.animals.width_px
    return _drawn(lambda axes: _draw_animals(axes, widths), 3.0)


def _draw_dives(axes: Axes, categories: Sequence[CategoryCount]) -> None:
    axes.scatter(
        [c.n_images for c in categories],
        [c.n_dives for c in categories],
        s=26,
        alpha=0.6,
        color=MODEL,
        linewidths=0,
    )
    log_scale(axes, both=True)
    axes.set_xlabel("images of the category", fontsize=9, color=INK)
    axes.set_ylabel("dives that show it", fontsize=9, color=INK)


def _draw_animals(axes: Axes, widths: tuple[float, ...]) -> None:
    axes.hist(widths, bins=[2 ** (n / 2) for n in range(4, 23)], color=MODEL)
    axes.set_xscale("log", base=2)
    axes.xaxis.set_major_formatter("{x:.0f}")
    axes.xaxis.set_minor_formatter("")
    axes.set_xlabel("width of the box in the original frame, px", fontsize=9, color=INK)
    axes.set_ylabel("boxes", fontsize=9, color=INK)


def _draw_protocols(axes: Axes, protocols: tuple[Protocol, ...]) -> None:
    lines = [
        ScoreLine(f"{kind}, {protocol.name} split", _measured(score), colour)
        for protocol in protocols
        for kind, score, colour in (
            ("time-copy", protocol.time_copy, TIME_COPY),
            ("class frequency", protocol.prior, PRIOR),
        )
    ]
    draw_scores(axes, lines, label="MAP@20 without opening an image")


def _measured(score: BaselineScore) -> Measured:
    half = score.interval_width / 2
    return Measured(score.map_at_20, score.map_at_20 - half, score.map_at_20 + half)


def _faults(check: FileCheck | None) -> tuple[FileFault, ...]:
    """Return the files that are of no use."""
    return () if check is None else (*check.missing, *check.unreadable)


def _fault_rows(check: FileCheck | None) -> list[tuple[str, str]]:
    """Return (file, what is wrong) of each file, and of each group of equal files."""
    if check is None:
        return []
    rows = [(fault.path, fault.reason) for fault in (*_faults(check), *check.resized)]
    rows += [(group[0].image_id, f"equal to {names_of(group[1:])}") for group in check.duplicates]
    return rows


def _near(pair: NearPair) -> NearShown:
    first, second = (
        Side(record.image_id, record.dive or "?", thumbnail(record.path))
        for record in (pair.first, pair.second)
    )
    return NearShown((first, second), pair.bits)
