"""A predictions file and reviews of some frames in, better predictions of their dives out."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np

from finding_nemo.adaptation.adapt_dive import adapt_dive, choose_places
from finding_nemo.adaptation.adaptation_settings import AdaptationSettings
from finding_nemo.adaptation.files.adapted_file import (
    ADAPTED,
    BASE,
    FAILED,
    REVIEWED,
    AdaptedRows,
    write_adapted,
)
from finding_nemo.adaptation.files.review_state import ReviewState
from finding_nemo.adaptation.rest_quality import RestQuality, estimate_quality, pool_quality
from finding_nemo.adaptation.shrunk_settings import NUMBERS, settings_of_metadata
from finding_nemo.core.errors import ReviewsError
from finding_nemo.core.provenance import hash_file, now_utc, run_provenance
from finding_nemo.core.reporter import Reporter
from finding_nemo.results.prediction_formats import Format, choose_format
from finding_nemo.results.summary import PredictionSummary

# Of the base network's probabilities, not of the adapted ones.
_NO_LONGER_TRUE = (
    "calibration",
    "operating_points",
    "supercategory_points",
    "set_threshold",
    "answer_bars",
    "shard",
)
# Rows that nobody's review reached keep their order and their answers.
_RANKING = {"about": "adapted rows by probability, all others as they were predicted"}


@dataclass(frozen=True, kw_only=True)
class AdaptationSummary:
    """What an adaptation did.

    Attributes:
        n_images: Rows written.
        n_reviewed: Frames that a person looked at.
        n_dives: Dives with a reviewed frame, which were adapted.
        n_rest: Frames of those dives that nobody looked at.
        new_names: Categories that the bundle did not have.
        quality: How good those are now; `None` where nothing tells.
        content_sha256: Hash of what the rows say.
    """

    n_images: int
    n_reviewed: int
    n_dives: int
    n_rest: int
    new_names: tuple[str, ...]
    quality: RestQuality | None
    content_sha256: str


def adapt_predictions(
    state: ReviewState,
    out: Path,
    *,
    reviews: Path,
    settings: AdaptationSettings | None = None,
    file_format: Format | None = None,
    overwrite: bool = False,
    reporter: Reporter | None = None,
) -> AdaptationSummary:
    """Write adapted predictions: dives with a review are adapted, all others stay as they are.

    Args:
        state: Predictions and reviews.
        out: The file to write.
        reviews: The file of reviews, for the provenance.
        settings: All numbers of the adaptation; default: those that the predictions bring, else
            the shipped ones.
        file_format: A name of `FORMATS`; by default what the suffix of `out` says.
        overwrite: Whether an existing file may be replaced.
        reporter: Told what is chosen, and progress.

    Raises:
        ReviewsError: If no reviewed frame could be read.
        OutputError: If `out` cannot be written.
        SettingsError: If the format is unknown, or disagrees with the suffix.
    """
    started, tell = now_utc(), reporter or Reporter()
    chosen = choose_format(out, file_format)
    if settings is None:
        settings = tell.announce(NUMBERS, settings_of_metadata(state.predicted.metadata))
    numbers = settings
    rows, parts = adapted_rows(state, settings, tell)
    n_reviewed = sum(method == REVIEWED for method in rows.methods)
    summary = write_adapted(
        state.predicted.path,
        rows,
        out,
        metadata=lambda summary: _metadata(state, numbers, summary, reviews, started),
        file_format=chosen,
        overwrite=overwrite,
    )
    reviewed_dives = [dive for dive, _ in state.dives.values() if len(dive.labels)]
    return AdaptationSummary(
        n_images=summary.n_images,
        n_reviewed=n_reviewed,
        n_dives=len(reviewed_dives),
        n_rest=sum(int(dive.is_rest.sum()) for dive in reviewed_dives),
        new_names=state.reviewed.new_names,
        quality=pool_quality(parts),
        content_sha256=summary.content_sha256,
    )


def adapted_rows(
    state: ReviewState, settings: AdaptationSettings, reporter: Reporter
) -> tuple[AdaptedRows, list[RestQuality]]:
    """Return the adapted rows of a file, and how good the rest of each adapted dive is.

    Raises:
        ReviewsError: If no reviewed frame could be read.
    """
    predicted = state.predicted
    counted = [dive for dive, _ in state.dives.values() if len(dive.labels)]
    if not counted:
        raise ReviewsError(
            "No frame that was reviewed is among the predictions; there is nothing to learn from."
        )
    with_places = reporter.announce("clip and time", choose_places(counted, settings.kernel))
    width = len(state.categories)
    probabilities = np.zeros((len(predicted), width), dtype=np.float32)
    present = np.zeros((len(predicted), width), dtype=np.bool_)
    methods = np.where(predicted.usable, BASE, FAILED).astype(object)
    parts = []
    with reporter.progress("dives adapted", unit="dives") as show:
        for number, (dive, rows) in enumerate(state.dives.values(), start=1):
            if len(dive.labels):
                adapted = adapt_dive(dive, settings, with_places=with_places)
                probabilities[rows] = adapted.probabilities
                methods[rows[dive.usable]] = ADAPTED
                seen = rows[dive.labels.rows]
                present[seen] = dive.labels.present
                # What nobody could read, or looked for in part only, is no complete answer.
                complete = dive.labels.is_complete & dive.usable[dive.labels.rows]
                methods[seen[complete]] = REVIEWED
                if adapted.clues is not None:
                    parts.append(estimate_quality(adapted.clues, settings.quality))
            else:
                probabilities[rows] = dive.base
            show(number, len(state.dives))
    metadata = predicted.metadata
    rows_found = AdaptedRows(
        probabilities=probabilities,
        methods=methods.tolist(),
        present=present,
        categories=state.categories,
        **{n: float(metadata[n]) for n in ("precision", "set_risk") if metadata.get(n)},
    )
    return rows_found, parts


def _metadata(
    state: ReviewState,
    settings: AdaptationSettings,
    summary: PredictionSummary,
    reviews: Path,
    started: str,
) -> Mapping[str, Any]:
    before = state.predicted.metadata
    kept = {name: value for name, value in before.items() if name not in _NO_LONGER_TRUE}
    return {
        **kept,
        **({"ranking": _RANKING} if before.get("ranking") else {}),
        **run_provenance(started, "numpy", "pyarrow"),
        "categories": [dict(entry) for entry in state.categories],
        "n_images": summary.n_images,
        "failures": dict(summary.failures),
        "content_sha256": summary.content_sha256,
        "adaptation": {
            "predictions_content_sha256": before.get("content_sha256"),
            "reviews": reviews.name,
            "reviews_sha256": hash_file(reviews),
            "n_reviewed": len(state.reviewed.labels),
            "new_categories": list(state.reviewed.new_names),
            "settings": asdict(settings),
        },
    }
