"""An evaluation as a page: the score beside its baselines, then the frames behind it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from finding_nemo.core.categories import CategoryTable
from finding_nemo.core.text.plurals import in_number
from finding_nemo.evaluation.evaluation_results import EvaluatedImage, Evaluation
from finding_nemo.marine.name_words import name_with_rank, place_in_words, rank_in_words
from finding_nemo.marine.names_file import known_names
from finding_nemo.reporting.figures.palette import INK, MODEL, PRIOR, TIME_COPY
from finding_nemo.reporting.figures.scores_figure import ScoreLine, draw_scores
from finding_nemo.reporting.figures.svg import log_scale, svg_of
from finding_nemo.reporting.figures.uncertainty_figures import uncertainty_figures, unusual_share
from finding_nemo.reporting.html.page import svg, thumbnail, write_page

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_N_FRAMES = 9
_N_GUESSES = 6
_N_FAILED = 200
_A_DIVE = 2


def write_evaluation_page(
    evaluation: Evaluation,
    categories: CategoryTable,
    path: Path,
    *,
    title: str = "How well are the animals found?",
    overwrite: bool = False,
    names_file: Path | None = None,
) -> None:
    """Write the page.

    Args:
        evaluation: What was found.
        categories: Names of the guesses.
        path: The page.
        title: Its heading.
        overwrite: Whether an existing page may be replaced.
        names_file: A table of names, which counts before that of the package.

    Raises:
        OutputExistsError: If the page exists and `overwrite` is false.
    """
    failed = [image for image in evaluation.images if image.failure is not None]
    readable = [image for image in evaluation.images if image.failure is None and image.true_ids]
    worst = sorted(readable, key=lambda image: (image.average_precision, image.image_id))
    best = sorted(readable, key=lambda i: (-(i.average_precision * len(i.true_ids)), i.image_id))
    misses, good, rare = _spread(worst), _spread(best), _spread(_unusual_first(readable))
    known = known_names(categories.names, path=names_file)
    ranks = {name: rank_in_words(record) for name, record in known.items()}
    shown_names = _ShownNames(categories, ranks)
    outside = len({image.image_id for image in (*misses, *good, *rare) if image.is_outside})
    write_page(
        "evaluation.html",
        path,
        overwrite=overwrite,
        title=title,
        lead=in_words(evaluation),
        e=evaluation,
        ranked_by_pool=bool(evaluation.metadata.get("ranking")),
        notices=_notices(evaluation, outside),
        misses=[_frame(image, shown_names) for image in misses],
        good=[_frame(image, shown_names) for image in good],
        failed=failed[:_N_FAILED],
        n_failed=len(failed),
        categories=sorted(evaluation.categories, key=lambda c: (-c.n_images, c.name)),
        ranks=ranks,
        places={name: place_in_words(record) for name, record in known.items()},
        scores_figure=svg(_scores_figure(evaluation)),
        dives_figure=svg(_dives_figure(evaluation)),
        uncertainty=evaluation.uncertainty,
        figures=uncertainty_figures(evaluation.uncertainty) if evaluation.uncertainty else {},
        unusual=unusual_share(evaluation),
        rare_frames=[_frame(image, shown_names) for image in rare],
        precision=evaluation.uncertainty.precision if evaluation.uncertainty else None,
        metadata=_metadata(evaluation.metadata),
    )


def _notices(evaluation: Evaluation, n_outside: int) -> tuple[str, ...]:
    notices = (*evaluation.notices, f"Class frequency is taken from {evaluation.prior_source}.")
    if not n_outside:
        return notices
    one, many = "1 frame is not shown: it lies", f"{n_outside} frames are not shown: they lie"
    return (*notices, f"{one if n_outside == 1 else many} outside the data set's folder.")


def _metadata(metadata: Mapping[str, Any]) -> dict[str, str] | None:
    """Return what the predictions say of themselves, as text whatever they hold."""
    if not metadata:
        return None
    wanted = ("recipe", "bundle_hash", "ended", "command")
    shown = {key: str(metadata.get(key) or "") for key in wanted}
    return shown | {"bundle_hash": shown["bundle_hash"][:12]}


def in_words(evaluation: Evaluation) -> str:
    """Return the finding in one or two plain sentences."""
    model, prior, gain = evaluation.model.map_at_20, evaluation.prior.map_at_20, evaluation.gain
    text = (
        f"MAP@20 is {model.value:.3f} ({model.interval_in_words()}) on "
        f"{in_number(evaluation.n_images, 'image')} of {in_number(evaluation.n_dives, 'dive')}; "
        "the same ranking for "
        f"every frame gets {prior.value:.3f}. "
    )
    is_known = gain.low < gain.high
    if is_known and gain.low > 0:
        return text + "The gain is larger than chance between dives explains."
    if is_known and gain.high < 0:
        return text + "The model is worse than not looking at the frame."
    return text + "These dives are too few or too unlike to tell the two apart."


def _unusual_first(images: Iterable[EvaluatedImage]) -> list[EvaluatedImage]:
    known = [image for image in images if not np.isnan(image.novelty_percentile)]
    return sorted(known, key=lambda image: (-image.novelty_percentile, image.image_id))


def _spread(images: Iterable[EvaluatedImage]) -> list[EvaluatedImage]:
    """Return the first images, with at most a few of one dive, each showing something else."""
    chosen: list[EvaluatedImage] = []
    seen: Counter[str] = Counter()
    scenes: set[tuple[str, tuple[int, ...]]] = set()
    for image in images:
        if len(chosen) == _N_FRAMES:
            break
        scene = (image.dive, image.true_ids)
        if not image.dive or (seen[image.dive] < _A_DIVE and scene not in scenes):
            seen[image.dive] += 1
            scenes.add(scene)
            chosen.append(image)
    return chosen


def _frame(image: EvaluatedImage, names: _ShownNames) -> dict[str, Any]:
    shown = image.ranked_ids[:_N_GUESSES]
    guesses = [
        {
            "name": names.of(guess),
            "has_rank": names.has_rank(guess),
            "supercategory": names.group_of(guess),
            "probability": _probability(probability),
            "hit": guess in image.true_ids,
        }
        for guess, probability in zip(shown, image.probabilities, strict=False)
    ]
    missed = [
        (names.of(number), _place(image.ranked_ids, number))
        for number in image.true_ids
        if number not in shown
    ]
    return {
        "image_id": image.image_id,
        "picture": None if image.is_outside else thumbnail(Path(image.path)),
        "why_no_picture": _why_no_picture(image),
        "average_precision": image.average_precision,
        "unusual": _unusual(image.novelty_percentile),
        "said": image.label,
        "guesses": guesses,
        "missed": missed,
    }


def _why_no_picture(image: EvaluatedImage) -> str:
    if image.failure:
        return image.failure
    if image.is_outside:
        return "not shown: it lies outside the data set's folder"
    return "no picture: the file is not here"


def _unusual(share: float) -> str:
    if np.isnan(share):
        return ""
    return "all" if share >= 0.995 else f"{100 * share:.0f} % of"


def _probability(value: float) -> str:
    return "under 0.01" if value < 0.01 else f"{value:.2f}"


@dataclass(frozen=True, slots=True)
class _ShownNames:
    """Names of categories as frames show them, with their rank where it is known."""

    categories: CategoryTable
    ranks: Mapping[str, str]

    def _name(self, category_id: int) -> str:
        return self.categories.names[self.categories.column_of(category_id)]

    def of(self, category_id: int) -> str:
        name = self._name(category_id)
        return name_with_rank(name, self.ranks[name])

    def has_rank(self, category_id: int) -> bool:
        """Return whether the name is shown with its rank."""
        return self.of(category_id) != self._name(category_id)

    def group_of(self, category_id: int) -> str:
        return self.categories.supercategories[self.categories.column_of(category_id)]


def _place(ranked: Sequence[int], category_id: int) -> str:
    return (
        f" (guess {ranked.index(category_id) + 1})" if category_id in ranked else " (not guessed)"
    )


def _scores_figure(evaluation: Evaluation) -> str:
    methods = (
        ("model", evaluation.model, MODEL),
        ("time-copy", evaluation.time_copy, TIME_COPY),
        ("class frequency", evaluation.prior, PRIOR),
    )
    lines = [ScoreLine(name, found.map_at_20, colour) for name, found, colour in methods if found]
    return svg_of(
        lambda axes: draw_scores(axes, lines, label="MAP@20"),
        width_in=8.4,
        height_in=0.75 + 0.42 * len(lines),
    )


def _dives_figure(evaluation: Evaluation) -> str:
    by_dive: dict[str, list[float]] = {}
    for image in evaluation.images:
        if not np.isnan(image.average_precision):
            by_dive.setdefault(image.dive_or_own, []).append(image.average_precision)

    def draw(axes: Axes) -> None:
        axes.scatter(
            [len(values) for values in by_dive.values()],
            [float(np.mean(values)) for values in by_dive.values()],
            color=MODEL,
            alpha=0.65,
            s=28,
            linewidths=0,
        )
        log_scale(axes)
        axes.set_ylim(-0.03, 1.03)
        axes.set_xlabel("judged images of the dive", fontsize=9, color=INK)
        axes.set_ylabel("mean AP@20", fontsize=9, color=INK)

    return svg_of(draw, width_in=8.4, height_in=3.0)
