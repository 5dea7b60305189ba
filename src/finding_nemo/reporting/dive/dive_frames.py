"""What the page of a dive knows of its frames, whatever file they were read from."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from finding_nemo.marine.name_words import name_with_rank

# From here on a frame counts as unusual; one validation frame in twenty is beyond it.
UNUSUAL_FROM = 0.95


@dataclass(frozen=True, slots=True, kw_only=True)
class Name:
    """A name that frames may have.

    Attributes:
        text: Of the category, supercategory or taxon.
        supercategory: Its group, "" for a group itself and where unknown.
        n_images: Training images that hold it, `None` where unknown.
        n_dives: Training dives that they come from, `None` where unknown.
        rank: Its rank in the tree of names, such as "family"; "" where it has none that is known.
    """

    text: str
    supercategory: str = ""
    n_images: int | None = None
    n_dives: int | None = None
    rank: str = ""

    @property
    def shown(self) -> str:
        """The name for people: "Family: Macrouridae"."""
        return name_with_rank(self.text, self.rank)


@dataclass(frozen=True, slots=True)
class Guess:
    """One guess: the position of its name in `DiveFrames.names`, and its probability."""

    name: int
    probability: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Frame:
    """One frame of the page.

    Attributes:
        image_id: Its name.
        path: The file as the predictions name it.
        dive: The dive, "" where unknown.
        captured: When it was filmed (UTC, no zone attached), `None` where unknown.
        time_s: Seconds since its video's first frame, `None` where it is no frame of a video.
        width: In px, `None` where unknown.
        height: In px, `None` where unknown.
        failure: Why it could not be used, "" where it could.
        answer: The position of its name in `DiveFrames.names`, `None` where there is none.
        answer_probability: Of the answer, in [0, 1], NaN where unknown.
        confidence: The position of its word in `DiveFrames.words`, `None` where there is none.
        why: Why the answer is no finer, "" where nothing says so.
        guesses: Best first, five at most.
        also_named: Names, beside the answer, that reach the wanted precision.
        novelty_percentile: In [0, 1], NaN where unknown.
        look_first: Rank within the dive from 1, 0 for frames that are not chosen.
        maps: Where the network looks, one byte a patch, row by row, a grid for each of the
            guesses; `None` where there is none.
        named: Names that reach the wanted precision, the answer among them.
        depth_m: Below the surface, `None` where unknown.
        clip: What it was cut from, such as a video's file; "" where unknown.
        is_reviewed: Whether reviews changed its names.
    """

    image_id: str
    path: str
    dive: str
    captured: datetime | None
    time_s: float | None
    width: int | None
    height: int | None
    failure: str
    answer: int | None
    answer_probability: float
    confidence: int | None
    why: str
    guesses: tuple[Guess, ...]
    also_named: tuple[int, ...]
    novelty_percentile: float
    look_first: int
    maps: bytes | None = None
    named: tuple[int, ...] = ()
    depth_m: float | None = None
    clip: str = ""
    is_reviewed: bool = False

    @property
    def is_unusual(self) -> bool:
        """Whether it is more unusual than 95 % of the validation frames."""
        return self.novelty_percentile >= UNUSUAL_FROM


@dataclass(frozen=True, slots=True)
class MapGrid:
    """The form of the maps: `n_guesses` grids of `n_rows` x `n_columns` patches."""

    n_rows: int
    n_columns: int
    n_guesses: int

    @property
    def n_bytes(self) -> int:
        """Of one frame."""
        return self.n_rows * self.n_columns * self.n_guesses


@dataclass(frozen=True, slots=True, kw_only=True)
class DiveFrames:
    """A predictions file as the page sees it.

    Attributes:
        frames: In the order of dives and, within them, of time, else of the file.
        names: Of answers and guesses.
        words: How sure an answer may be, surest first.
        has_own_words: Whether the file itself says how sure its answers are.
        map_grid: The form of the maps, `None` where the file has none.
        metadata: What the file says of itself.
        notices: What was interpreted or passed over, in sentences.
    """

    frames: tuple[Frame, ...]
    names: tuple[Name, ...]
    words: tuple[str, ...]
    has_own_words: bool
    map_grid: MapGrid | None
    metadata: Mapping[str, Any]
    notices: tuple[str, ...] = ()

    @property
    def dives(self) -> tuple[str, ...]:
        """The dives in their order."""
        return tuple(dict.fromkeys(frame.dive for frame in self.frames))


def look_order(frames: Sequence[Frame]) -> list[int]:
    """Return the positions of the frames to look at first: by rank, then the most interesting."""
    places = [place for place, frame in enumerate(frames) if frame.look_first]
    return sorted(places, key=lambda place: (frames[place].look_first, -_interest(frames[place])))


def _interest(frame: Frame) -> float:
    novelty = 0.0 if math.isnan(frame.novelty_percentile) else frame.novelty_percentile
    return novelty - (frame.guesses[0].probability if frame.guesses else 0.0)
