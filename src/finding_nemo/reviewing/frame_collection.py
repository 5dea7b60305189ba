"""The frames that are reviewed, wherever they are kept: what a session needs of them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from finding_nemo.adaptation.covariance import DiveFrames
from finding_nemo.adaptation.files.frame_places import FramePlaces
from finding_nemo.core.arrays import AnyFloats, Bools, Float32s, Ints, Pixels


@dataclass(kw_only=True)
class FrameColumns:
    """What is kept in memory of every frame: a few numbers and texts, no list.

    Attributes:
        image_ids: One a frame.
        paths: Its file as the predictions name it.
        failures: Why it could not be used, `None` where it could.
        usable: Frames that can be reviewed and adapted, shape (frames,).
        unusual: Share of training images that are less unusual, NaN where unknown, (frames,).
        answers: The one answer in words, `None` where there is none.
        confidences: "sure", "likely" or "guess"; `None` where nobody says.
        probabilities: Of the answer, NaN where there is none, shape (frames,).
        first_ids: Category id of the first guess, `NO_CATEGORY` where there is none, (frames,).
        places: Dive, clip and time.
    """

    image_ids: list[str]
    paths: list[str]
    failures: list[str | None]
    usable: Bools
    unusual: Float32s
    answers: list[str | None]
    confidences: list[str | None]
    probabilities: Float32s
    first_ids: Ints
    places: FramePlaces

    def __len__(self) -> int:
        return len(self.image_ids)

    def frames_without_features(self, rows: Ints) -> DiveFrames:
        """Return frames of a dive by their places alone."""
        places = self.places
        return DiveFrames(
            features=None,
            clips=places.clips[rows],
            numbers=places.numbers[rows],
            times_s=places.times_s[rows],
        )


@dataclass(frozen=True)
class FrameVectors:
    """Some frames with what the network says of them.

    Attributes:
        rows: Which frames, shape (frames,).
        base: Probabilities in column order, float32, shape (frames, categories).
        features: Of unit length, float16, shape (frames, features); `None` where there are none.
    """

    rows: Ints
    base: Float32s
    features: AnyFloats | None


@dataclass(frozen=True, slots=True)
class FrameFile:
    """Where the image of a frame is.

    Attributes:
        path: An image, or the video that the frame is of.
        time_s: Seconds since the video's first frame; `None` of an image.
    """

    path: Path
    time_s: float | None = None


@dataclass(frozen=True, kw_only=True)
class PlacesOptions:
    """The options of the command line with which frames were placed.

    Attributes:
        data: A data set that knows the images' dives and times.
        dive_pattern: Regular expression with a group named dive.
    """

    data: Path | None = None
    dive_pattern: str | None = None

    def arguments(self) -> list[str]:
        """Return them as the command line takes them."""
        named = {"--data": self.data, "--dive-pattern": self.dive_pattern}
        pairs = [(name, str(value)) for name, value in named.items() if value is not None]
        return [part for pair in pairs for part in pair]


class FrameCollection(Protocol):
    """Frames with their predictions, numbered from 0 in the order of the file."""

    @property
    def columns(self) -> FrameColumns:
        """What is in memory."""

    @property
    def categories(self) -> Sequence[Mapping[str, Any]]:
        """The category table with its evidence, JSON-ready, in column order."""

    @property
    def metadata(self) -> Mapping[str, Any]:
        """All that the predictions say of themselves."""

    @property
    def notices(self) -> Sequence[str]:
        """What a reader should know, in sentences."""

    @property
    def has_features(self) -> bool:
        """Whether frames have embeddings."""

    @property
    def content_sha256(self) -> str:
        """What tells these predictions from others."""

    def vectors(self, rows: Ints, *, with_features: bool = True) -> Iterator[FrameVectors]:
        """Yield frames part by part, so that no dive is too large for the memory.

        Args:
            rows: Rising row numbers.
            with_features: Whether features are wanted beside the base prediction.
        """

    def values(self, row: int) -> Mapping[str, Any]:
        """Return all other columns of one frame by name, as the predictions hold them."""

    def maps(self, row: int) -> Pixels | None:
        """Return the maps of a frame's best guesses, (guesses, rows, columns); `None` of none."""

    def image_of(self, row: int) -> FrameFile | None:
        """Return where the image of a frame is, `None` where it is not found."""

    def as_file(self, folder: Path) -> Path:
        """Return the predictions as a Parquet file; a new one is written into `folder`."""

    @property
    def places_options(self) -> PlacesOptions:
        """How the frames were placed."""
