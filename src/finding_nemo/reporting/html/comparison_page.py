"""Recipes side by side."""

from __future__ import annotations

import csv
import io
import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path

from markupsafe import Markup

from finding_nemo.core.files.atomic_files import write_text
from finding_nemo.core.records import Dataset
from finding_nemo.core.text.cells import defused
from finding_nemo.evaluation.pooled_uncertainty import in_words
from finding_nemo.evaluation.recipe_comparison import ComparisonRow
from finding_nemo.metrics.ranking_scores import NOT_KNOWN
from finding_nemo.reporting.figures.learning_curves import (
    Histories,
    draw_learning_curves,
    recipe_curves_svg,
    shared_limits,
)
from finding_nemo.reporting.figures.palette import SERIES
from finding_nemo.reporting.figures.scores_figure import (
    MethodLine,
    comparison_size_in,
    draw_comparison,
)
from finding_nemo.reporting.figures.svg import svg_of
from finding_nemo.reporting.html.page import format_score, svg, write_page

HEADER = (
    "recipe",
    "split",
    "epochs",
    "MAP@20",
    "95 % by dive",
    "own ranking",
    "by probability",
    "training images",
    "macro AP",
    "training loss",
    "train s",
    "predict s",
)
_PROTOCOLS = {
    "random": "frames drawn one by one from all dives: neighbours of the test frames, often "
    "seconds apart, are trained on, which flatters the score",
    "video": "whole clips apart, but another clip of the same dive may be trained on",
    "dive": "whole dives apart: neither the place nor its animals were trained on",
    "time": "trained on the past, judged on later dives",
}


_RANKINGS = (
    "MAP@20 is of the ranking that predictions show. Beside it stand the same images by the "
    "network's own ranking and by calibrated probability, and the network's own ranking of "
    "training images: what lies between that and unseen dives is memory."
)


def write_comparison(
    out: Path, rows: Sequence[ComparisonRow], histories: Histories, dataset: Dataset
) -> None:
    """Write `table.md`, `table.csv`, `curves.png` and `report.html`, replacing earlier ones."""
    write_text(out / "table.md", markdown_table(rows) + "\n" + "\n".join(explain(rows)) + "\n")
    write_text(out / "table.csv", _csv_table(rows))
    if histories:
        draw_learning_curves(histories, out / "curves.png")
    write_page(
        "comparison.html",
        out / "report.html",
        overwrite=True,
        title="Recipes side by side",
        lead=f"{len(dataset.annotated):,} annotated images of {dataset.root.name}; every score is "
        "of images that training did not hold.",
        header=HEADER,
        table=[(row, cells(row)) for row in rows],
        words=explain(rows),
        scores=svg(_scores_figure(rows)),
        curves=_panels(histories),
    )


def _panels(histories: Histories) -> list[Markup]:
    """Return one panel for each recipe that has epochs; their axes of MAP@20 are alike."""
    limits = shared_limits(histories)
    return [
        svg(recipe_curves_svg(name, history, limits=limits))
        for name, history in histories.items()
        if history
    ]


def cells(row: ComparisonRow) -> tuple[str, ...]:
    """Return a row's cells as text, in the order of `HEADER`."""
    if row.failure is not None:
        return (row.recipe, row.protocol, "failed", row.failure, *[""] * (len(HEADER) - 4))
    score = row.map_at_20
    return (
        row.recipe,
        row.protocol,
        str(row.epochs) if row.epochs else "",
        format_score(score.value),
        score.interval_in_words(),
        *map(_score_or_not_known, (row.rankings.own, row.rankings.calibrated)),
        _score_or_not_known(row.train_map_at_20),
        format_score(row.macro_ap),
        _loss(row.training_loss) if row.epochs else "",
        f"{row.train_s:.0f}",
        f"{row.predict_s:.0f}",
    )


def _score_or_not_known(value: float) -> str:
    return NOT_KNOWN if math.isnan(value) else format_score(value)


def _loss(value: float) -> str:
    return f"{value:.4f}" if value < 1e4 else f"{value:.2g}"


def markdown_table(rows: Sequence[ComparisonRow]) -> str:
    """Return the table in Markdown."""
    lines = [HEADER, ("---",) * len(HEADER), *(cells(row) for row in rows)]
    return "".join(f"| {' | '.join(cell.replace('|', '/') for cell in line)} |\n" for line in lines)


_CSV_COLUMNS: Mapping[str, Callable[[ComparisonRow], object]] = {
    "recipe": lambda row: defused(row.recipe),
    "split": lambda row: defused(row.protocol),
    "epochs": lambda row: row.epochs,
    "map_at_20": lambda row: row.map_at_20.value,
    "map_at_20_low": lambda row: row.map_at_20.low,
    "map_at_20_high": lambda row: row.map_at_20.high,
    "map_at_20_own": lambda row: _number_or_nothing(row.rankings.own),
    "map_at_20_calibrated": lambda row: _number_or_nothing(row.rankings.calibrated),
    "train_map_at_20": lambda row: _number_or_nothing(row.train_map_at_20),
    "macro_ap": lambda row: row.macro_ap,
    "prior_map_at_20": lambda row: row.prior_map_at_20,
    "prior_macro_ap": lambda row: row.prior_macro_ap,
    "training_loss": lambda row: row.training_loss,
    "train_s": lambda row: row.train_s,
    "predict_s": lambda row: row.predict_s,
    "n_images": lambda row: row.n_images,
    "n_dives": lambda row: row.n_dives,
    "same_dive": lambda row: row.same_dive,
    "failure": lambda row: defused(row.failure or ""),
}


def _number_or_nothing(value: float) -> float | str:
    return "" if math.isnan(value) else value


def _csv_table(rows: Sequence[ComparisonRow]) -> str:
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(_CSV_COLUMNS)
    for row in rows:
        writer.writerow(column(row) for column in _CSV_COLUMNS.values())
    return text.getvalue()


def explain(rows: Sequence[ComparisonRow]) -> list[str]:
    """Return in sentences why the protocols differ, and how far each recipe can be trusted."""
    usable = [row for row in rows if row.failure is None]
    sentences = list(_protocol_sentences(usable))
    if any(not math.isnan(row.rankings.own) for row in usable):
        sentences.append(_RANKINGS)
    by_recipe: dict[str, dict[str, float]] = {}
    for row in usable:
        by_recipe.setdefault(row.recipe, {})[row.protocol] = row.map_at_20.value
    for recipe, scores in by_recipe.items():
        if "random" in scores and "dive" in scores and recipe != "prior":
            sentences.append(_memory_sentence(recipe, scores["random"], scores["dive"]))
    sentences += [
        in_words(f"{r.recipe}, {r.protocol}", r.uncertainty) for r in usable if r.uncertainty
    ]
    return sentences


def _memory_sentence(recipe: str, random: float, dive: float) -> str:
    scores = f"{recipe} scores {random:.3f} on random frames and {dive:.3f} on dives it never saw"
    if random <= dive:
        return f"{scores}."
    return (
        f"{scores}: {random - dive:.3f} of its random score is memory of dives, and nobody's next "
        "dive is in the training set."
    )


def _protocol_sentences(rows: Sequence[ComparisonRow]) -> Iterator[str]:
    for protocol in dict.fromkeys(row.protocol for row in rows):
        first = next(row for row in rows if row.protocol == protocol)
        about = _PROTOCOLS.get(protocol, "the split that was given")
        yield (
            f"{protocol}: {about}. {100 * first.same_dive:.1f} % of the judged frames have a "
            f"training frame of their dive; class frequency alone scores "
            f"{first.prior_map_at_20:.3f} MAP@20 and {first.prior_macro_ap:.3f} macro AP."
        )


def _scores_figure(rows: Sequence[ComparisonRow]) -> str:
    shown = [row for row in rows if row.failure is None]
    protocols = list(dict.fromkeys(row.protocol for row in shown))
    lines = [
        MethodLine(
            f"{row.recipe}, {row.protocol}",
            row.map_at_20,
            SERIES[protocols.index(row.protocol) % len(SERIES)],
            row.prior_map_at_20,
        )
        for row in shown
    ]
    width_in, height_in = comparison_size_in(len(shown))
    return svg_of(lambda axes: draw_comparison(axes, lines), width_in=width_in, height_in=height_in)
