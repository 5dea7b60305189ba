"""What a review session answers; fields are named as in the HTTP API."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

State = Literal["unreviewed", "reviewed", "failed"]
Method = Literal["machine", "human", "propagated"]


@dataclass(frozen=True, kw_only=True, slots=True)
class Named:
    """A category by id and name."""

    id: int
    name: str


@dataclass(frozen=True, kw_only=True, slots=True)
class Guess:
    """A category with its probability.

    Attributes:
        id: Of the category.
        name: Of the category.
        supercategory: The group it belongs to, "none" where it has none.
        probability: In [0, 1].
        evidence: What the network learnt it from, in words; `None` where nobody knows.
    """

    id: int
    name: str
    supercategory: str
    probability: float
    evidence: str | None


@dataclass(frozen=True, kw_only=True, slots=True)
class FrameRow:
    """A frame in a list.

    Attributes:
        row: Its number in the collection, from 0.
        id: Its name.
        dive: The dive it is from.
        answer: The one answer in words; "" where a person saw nothing, `None` where it failed.
        confidence: "sure", "likely" or "guess"; `None` where nobody says.
        probability: Of the answer.
        unusual: Share of training images that are less unusual; `None` where unknown.
        state: Whether a person looked at it.
        method: Whether a person, or the reviews of other frames, or the network alone named it.
        failure: Why it could not be used.
    """

    row: int
    id: str
    dive: str | None
    answer: str | None
    confidence: str | None
    probability: float | None
    unusual: float | None
    state: State
    method: Method
    failure: str | None


@dataclass(frozen=True, kw_only=True, slots=True)
class FrameReview:
    """What a person said of a frame."""

    number: int
    row: int
    id: str
    categories: Sequence[Named]
    rejected: Sequence[Named]
    complete: bool
    reviewer: str
    time: str


@dataclass(frozen=True, kw_only=True, slots=True)
class FrameReference:
    """A frame that another one points to."""

    row: int
    id: str


@dataclass(frozen=True, kw_only=True, slots=True)
class FrameDetail(FrameRow):
    """All that is known of a frame.

    Attributes:
        guesses: The 20 best as adapted now, best first.
        model_guesses: The 20 best as the network said.
        why: Why the answer is no finer and no surer.
        unusual_words: How unusual it is, in words.
        captured: When it was filmed, as ISO 8601.
        time_s: Seconds since its video's first frame.
        width: In px.
        height: In px.
        review: What a person said of it.
        propagated_from: The reviewed frame that counted most for the first guess.
        suggested_why: Why it was suggested, if it was.
        maps: Category ids that have a heat map.
    """

    guesses: Sequence[Guess]
    model_guesses: Sequence[Guess]
    why: str | None
    unusual_words: str | None
    captured: str | None
    time_s: float | None
    width: int | None
    height: int | None
    review: FrameReview | None
    propagated_from: FrameReference | None
    suggested_why: str | None
    maps: Sequence[int]


@dataclass(frozen=True, kw_only=True, slots=True)
class FramePage:
    """Some frames of a list.

    Attributes:
        total: How many frames the whole list has.
        frames: Those of the page.
    """

    total: int
    frames: Sequence[FrameRow]


@dataclass(frozen=True, kw_only=True, slots=True)
class Target:
    """How many more frames would bring the rest to a quality; `None` where too many would."""

    value: float
    more_frames: int | None


@dataclass(frozen=True, kw_only=True, slots=True)
class Quality:
    """MAP@20 of the frames not looked at, with the interval that holds nine dives of ten."""

    value: float
    low: float
    high: float
    to_reach: Sequence[Target]


@dataclass(frozen=True, kw_only=True, slots=True)
class DiveRow:
    """A dive in a list."""

    name: str | None
    n_frames: int
    n_readable: int
    n_reviewed: int
    quality: Quality | None


@dataclass(frozen=True, kw_only=True, slots=True)
class DiveList:
    """All dives, and where the collection stands."""

    dives: Sequence[DiveRow]
    overall: Quality | None
    n_frames: int
    n_reviewed: int
    n_failed: int


@dataclass(frozen=True, kw_only=True, slots=True)
class AnimalRow:
    """A category with the frames whose first guess it is."""

    id: int
    name: str
    supercategory: str
    n_frames: int
    n_reviewed: int


@dataclass(frozen=True, kw_only=True, slots=True)
class SuggestedFrame:
    """A frame to look at next; `rank` is 1 for the most useful."""

    row: int
    id: str
    dive: str | None
    rank: int
    why: str


@dataclass(frozen=True, kw_only=True, slots=True)
class Reviewed:
    """What follows from a review.

    Attributes:
        review: As it is kept.
        dive: The dive it is from, after it.
        overall: How good the rest of all reviewed dives is.
        changed: Frames whose answer is another one now.
        seconds: What it took.
        new_categories: Categories that it brought.
    """

    review: FrameReview
    dive: DiveRow
    overall: Quality | None
    changed: int
    seconds: float
    new_categories: Sequence[Named]


@dataclass(frozen=True, kw_only=True, slots=True)
class Undone:
    """What follows from taking a review back.

    Attributes:
        undone: The review; `None` where there was none.
        now: What was said of the frame before and counts again.
        dive: The dive it is from, after it; `None` where there was nothing to take back.
    """

    undone: FrameReview | None
    now: FrameReview | None
    dive: DiveRow | None
