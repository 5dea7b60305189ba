"""Which frames of a predictions file a person should look at next, and what that would bring."""

from __future__ import annotations

import io
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from finding_nemo.adaptation.adapt_dive import Dive, adapt_dive, choose_places
from finding_nemo.adaptation.adaptation_settings import AdaptationSettings
from finding_nemo.adaptation.files.review_state import ReviewState
from finding_nemo.adaptation.frame_choice import ChosenFrame, DiveCoverage, most_useful
from finding_nemo.adaptation.rest_quality import (
    RestQuality,
    estimate_quality,
    frames_to_reach,
    pool_quality,
)
from finding_nemo.adaptation.shrunk_settings import NUMBERS, settings_of_metadata
from finding_nemo.core.arrays import Float64s
from finding_nemo.core.errors import SettingsError
from finding_nemo.core.files.atomic_files import refuse_existing, write_text
from finding_nemo.core.files.table_files import TableWriter
from finding_nemo.core.reporter import Reporter

COLUMNS = ("id", "dive", "rank", "why")
TARGETS = (0.90, 0.95)
_OPEN, _PARTLY_OPEN = 0.5, 0.2


@dataclass(frozen=True, slots=True)
class Suggestion:
    """A frame to look at.

    Attributes:
        image_id: The frame.
        dive: Its dive.
        rank: From 1, the most useful first.
        why: What it stands for, in words.
    """

    image_id: str
    dive: str
    rank: int
    why: str


@dataclass(frozen=True, kw_only=True)
class Suggestions:
    """The frames to look at, and where the dives stand.

    Attributes:
        rows: Best first.
        quality: How good the rest of the reviewed dives is by now; `None` before any review.
        n_reviewed: Frames looked at so far.
        n_reviewed_dives: Dives with a reviewed frame.
        n_dives: All dives.
        more_frames: By target, how many more frames would reach it; `None` where too many would.
    """

    rows: tuple[Suggestion, ...]
    quality: RestQuality | None
    n_reviewed: int
    n_reviewed_dives: int
    n_dives: int
    more_frames: Mapping[float, int | None]


def suggest_frames(
    state: ReviewState,
    *,
    per_dive: int | None = None,
    budget: int | None = None,
    settings: AdaptationSettings | None = None,
    reporter: Reporter | None = None,
) -> Suggestions:
    """Return the frames to look at next.

    Before any review they are the most representative of each dive; after some, those that stand
    for most of what is still uncertain.

    Args:
        state: Predictions, and reviews if there are any.
        per_dive: So many of each dive; or
        budget: so many in all, where they help most.
        settings: All numbers of the adaptation; default: those that the predictions bring, else
            the shipped ones.
        reporter: Told what is chosen, and progress.

    Raises:
        SettingsError: If not just one of `per_dive` and `budget` is given, or it is below 1.
    """
    count = per_dive if per_dive is not None else budget
    if (per_dive is None) == (budget is None) or count is None or count < 1:
        raise SettingsError(
            f"Give either per_dive or budget, at least 1; got {per_dive} and {budget}."
        )
    tell = reporter or Reporter()
    if settings is None:
        settings = tell.announce(NUMBERS, settings_of_metadata(state.predicted.metadata))
    dives = [dive for dive, _ in state.dives.values()]
    reviewed = [dive for dive in dives if len(dive.labels)]
    with_places = True
    if reviewed:
        choice = choose_places(reviewed, settings.kernel)
        with_places = tell.announce("clip and time", choice)
    choices: list[list[ChosenFrame]] = []
    unsure: list[Float64s | None] = []
    parts: list[tuple[RestQuality, int]] = []
    with tell.progress("dives looked through", unit="dives") as show:
        for number, dive in enumerate(dives, start=1):
            uncertainty, quality = _known(dive, settings, with_places=with_places)
            unsure.append(uncertainty)
            choices.append(_choose(dive, settings, count, uncertainty, with_places=with_places))
            if quality is not None:
                parts.append((quality, len(dive.labels)))
            show(number, len(dives))
    if budget is not None:
        # What a frame stands for depends on the others that are asked for: those of the budget.
        taken = Counter(number for number, _ in most_useful(choices, budget))
        choices = [
            _choose(dive, settings, taken[number], unsure[number], with_places=with_places)
            if taken[number]
            else []
            for number, dive in enumerate(dives)
        ]
    total = budget if budget is not None else count * len(dives)
    more = {target: frames_to_reach(target, parts, settings.quality) for target in TARGETS}
    return Suggestions(
        rows=tuple(_rows(state, choices, total)),
        quality=pool_quality([quality for quality, _ in parts]),
        n_reviewed=sum(len(dive.labels) for dive in reviewed),
        n_reviewed_dives=len(reviewed),
        n_dives=len(dives),
        more_frames=more if parts else {},
    )


def _known(
    dive: Dive, settings: AdaptationSettings, *, with_places: bool
) -> tuple[Float64s | None, RestQuality | None]:
    """Return how uncertain each frame is after the reviews, and how good the rest; if any."""
    if not len(dive.labels):
        return None, None
    adapted = adapt_dive(dive, settings, with_places=with_places)
    found = None if adapted.clues is None else estimate_quality(adapted.clues, settings.quality)
    return adapted.uncertainty, found


def _choose(
    dive: Dive,
    settings: AdaptationSettings,
    count: int,
    uncertainty: Float64s | None,
    *,
    with_places: bool,
) -> list[ChosenFrame]:
    coverage = DiveCoverage(
        dive.frames if with_places else dive.frames.without_places(),
        settings.kernel,
        reviewed=dive.labels.rows,
        usable=dive.usable,
        uncertainty=uncertainty,
    )
    return coverage.choose(count)


def _rows(state: ReviewState, choices: list[list[ChosenFrame]], total: int) -> list[Suggestion]:
    named = list(state.dives.items())
    found = []
    for rank, (number, frame) in enumerate(most_useful(choices, total), start=1):
        name, (_, rows) = named[number]
        image_id = state.predicted.image_ids[int(rows[frame.row])]
        found.append(Suggestion(image_id, name, rank, why(frame)))
    return found


def why(frame: ChosenFrame) -> str:
    """Return in words why to look at a frame."""
    if frame.n_like <= 1:
        words = "like no frame before it"
    else:
        words = f"stands for {frame.n_like} frames like it"
    if frame.uncertainty >= _OPEN:
        return f"{words}, whose names are open"
    is_partly = frame.uncertainty >= _PARTLY_OPEN
    return f"{words}, whose names are {'partly open' if is_partly else 'fairly sure'}"


def write_suggestions(found: Suggestions, path: Path, *, overwrite: bool = False) -> None:
    """Write `next.csv`; text that a spreadsheet would take for a formula is guarded.

    Raises:
        OutputExistsError: If it exists and `overwrite` is false.
        OutputError: If it cannot be written.
    """
    refuse_existing(path, overwrite=overwrite)
    text = io.StringIO(newline="")
    writer = TableWriter(text)
    writer.write(COLUMNS)
    for row in found.rows:
        writer.write((row.image_id, row.dive, row.rank, row.why))
    write_text(path, text.getvalue())
