"""A data set as a page: what is in it, how it is spread, and what its splits would leak."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from finding_nemo.data.file_check import NearPair
from finding_nemo.evaluation.exploration import CategoryCount, Exploration
from finding_nemo.evaluation.inspection import Inspection
from finding_nemo.evaluation.protocols import BaselineScore, Protocol
from finding_nemo.evaluation.results import Measured
from finding_nemo.reporting.figures import bars_svg, columns_svg, log_scale, svg_of
from finding_nemo.reporting.page import svg, thumbnail, write_page
from finding_nemo.reporting.palette import INK, MODEL, PRIOR, TIME_COPY
from finding_nemo.reporting.scores_figure import ScoreLine, draw_scores

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_N_TOP = 25
_N_SIZES = 8
_N_PAIRS_SHOWN = 6
_N_FAULTS = 200


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
        faults=_faults(found),
        near=[_near(pair) for pair in found.check.near[:_N_PAIRS_SHOWN]] if found.check else [],
        figures=_figures(e, found.protocols),
    )


def _in_words(e: Exploration) -> str:
    seen = len(e.categories) - e.n_without_image
    text = f"{e.n_images:,} images; {seen} of {len(e.categories)} categories have one or more."
    if e.within_10_s == e.within_10_s:
        text += (
            f" {100 * e.within_10_s:.0f} % of the timed frames have a neighbour of the same dive "
            "within 10 seconds, so frames split at random are not independent."
        )
    return text


def _figures(e: Exploration, protocols: tuple[Protocol, ...]) -> dict[str, Any]:
    top = [category for category in e.categories if category.n_images][:_N_TOP]
    groups = e.supercategories
    sizes = dict(list(e.frame_sizes.items())[:_N_SIZES])
    drawn = {
        "top": bars_svg([c.name for c in top], [c.n_images for c in top], label="images"),
        "groups": bars_svg([g.name for g in groups], [g.n_images for g in groups], label="images"),
        "group_sizes": bars_svg(
            [g.name for g in groups], [g.n_categories for g in groups], label="categories"
        ),
        "labels": columns_svg(
            [str(n) for n in e.labels_per_image],
            list(e.labels_per_image.values()),
            label="categories in the image",
        ),
        "dives": svg_of(lambda axes: _draw_dives(axes, e.categories), width_in=7.2, height_in=3.2),
    }
    if sizes:
        names = [f"{width} x {height}" for width, height in sizes]
        drawn["sizes"] = bars_svg(names, list(sizes.values()), label="images")
    if e.over_time:
        drawn["time"] = columns_svg(
            list(e.over_time), list(e.over_time.values()), label="when they were filmed"
        )
    if e.animals:
        widths = e.animals.width_px
        drawn["animals"] = svg_of(
            lambda axes: _draw_animals(axes, widths), width_in=7.2, height_in=3.0
        )
    if protocols:
        drawn["protocols"] = svg_of(
            lambda axes: _draw_protocols(axes, protocols), width_in=8.4, height_in=2.6
        )
    return {key: svg(text) for key, text in drawn.items()}


def _draw_dives(axes: Axes, categories: tuple[CategoryCount, ...]) -> None:
    seen = [category for category in categories if category.n_images]
    axes.scatter(
        [c.n_images for c in seen],
        [c.n_dives for c in seen],
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


def _faults(found: Inspection) -> list[tuple[str, str]]:
    if found.check is None:
        return []
    check = found.check
    listed = [*check.missing, *check.unreadable, *check.resized]
    rows = [(fault.path, fault.reason) for fault in listed]
    for group in check.duplicates:
        rows.append((group[0].image_id, "equal to " + ", ".join(r.image_id for r in group[1:])))
    return rows[:_N_FAULTS]


def _near(pair: NearPair) -> dict[str, Any]:
    sides = [
        {"image_id": r.image_id, "dive": r.dive or "?", "picture": thumbnail(r.path)}
        for r in (pair.first, pair.second)
    ]
    return {"sides": sides, "bits": pair.bits}
