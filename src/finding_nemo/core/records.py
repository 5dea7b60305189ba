"""Frozen records that cross the borders between layers."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from functools import cached_property
from pathlib import Path

import numpy as np
import numpy.typing as npt

from finding_nemo.core.assessment import Answer, Assessment, PredictionOrigin
from finding_nemo.core.categories import Category, CategoryTable
from finding_nemo.core.errors import ArgumentError, DatasetError, SplitError
from finding_nemo.core.text.short_repr import ShortRepr


@dataclass(frozen=True, slots=True)
class Box:
    """Where one animal is, in pixels of the original frame, from its top left corner."""

    category_id: int
    x_px: float
    y_px: float
    width_px: float
    height_px: float


class OfADive:
    """What every record of an image says of its dive."""

    __slots__ = ()

    image_id: str
    dive: str | None

    @property
    def dive_or_own(self) -> str:
        """The dive; an image of no known dive counts as one of its own."""
        return self.dive or self.image_id


@dataclass(frozen=True, slots=True, repr=False)
class ImageRecord(OfADive, ShortRepr):
    """What a data set says of one image.

    Attributes:
        image_id: The data set's own name of the image, unique in it.
        path: Where the file is, or should be; it may be absent.
        category_ids: The categories in the image, ascending; `None` if nobody annotated it.
        origin: The annotation file it comes from: "train", "eval", or the file's stem.
        width: Frame width in px as recorded, if it is.
        height: Frame height in px as recorded, if it is.
        vehicle: The vehicle that filmed it, if known.
        dive: The group that must not be split, such as "Doc Ricketts 0297", if known.
        captured: When it was filmed (UTC, no time zone attached), if known.
        time_known: Whether `captured` has a time of day; a bare date has not.
        sequence: What stands before the frame number in the file's name.
        frame_number: The last run of digits in the file's name, if it has one.
        boxes: Boxes, if the data set has them.
        url: Where the annotations say that the image can be fetched, "" if they do not.
        depth_m: Metres below the surface, 0 or more, if the annotations say it.
        latitude: In degrees, north positive, if the annotations say it.
        longitude: In degrees, east positive, if the annotations say it.

    Example:
        >>> [record.path for record in dataset.records if record.dive is None]  # doctest: +SKIP
    """

    image_id: str
    path: Path
    category_ids: tuple[int, ...] | None
    origin: str = "train"
    width: int | None = None
    height: int | None = None
    vehicle: str | None = None
    dive: str | None = None
    captured: datetime | None = None
    time_known: bool = False
    sequence: str = ""
    frame_number: int | None = None
    boxes: tuple[Box, ...] = ()
    url: str = ""
    depth_m: float | None = None
    latitude: float | None = None
    longitude: float | None = None

    def facts(self) -> Mapping[str, object]:
        """Return what is known of it at a glance."""
        held = self.category_ids
        return {
            "image_id": self.image_id,
            "path": self.path,
            "dive": self.dive or "not known",
            "category_ids": "not annotated" if held is None else " ".join(map(str, held)) or "none",
            "boxes": len(self.boxes),
        }


@dataclass(frozen=True, slots=True)
class DatasetSource:
    """What a data set was read from, as it was asked for.

    Attributes:
        path: The folder, COCO file or CSV file.
        images: The image folder, where it was named.
        dive_pattern: The regular expression of dives, where it was given.
        reviews: The file of reviews that were added, if any were.
        review_images: The folder of the frames that they added, where it was named.
    """

    path: Path
    images: Path | None = None
    dive_pattern: str | None = None
    reviews: Path | None = None
    review_images: Path | None = None


@dataclass(frozen=True, repr=False)
class Dataset(ShortRepr):
    """A data set folder, read.

    Attributes:
        root: The folder, or the annotation file's folder.
        categories: The category table in column order.
        records: Every image record, annotated or not, in file order.
        notices: What a reader of the data set should know, in sentences.
        source: What it was read from, if it was read.

    Raises:
        DatasetError: If an image id is used twice: splits, predictions and truth are joined by it.

    Example:
        >>> dataset = finding_nemo.read_dataset("fathomnet/")  # doctest: +SKIP
        >>> test = dataset.subset(split.ids_in("test"))  # doctest: +SKIP
        >>> dataset.truth().sum(axis=0)  # images of each category  # doctest: +SKIP
    """

    root: Path
    categories: CategoryTable
    records: tuple[ImageRecord, ...]
    notices: tuple[str, ...] = ()
    source: DatasetSource | None = None

    def __post_init__(self) -> None:
        counts = Counter(record.image_id for record in self.records)
        repeated = [(image_id, count) for image_id, count in counts.items() if count > 1]
        if repeated:
            shown = ", ".join(f"{image_id!r} {count} times" for image_id, count in repeated[:3])
            raise DatasetError(
                f"{len(repeated)} image ids of the data set {self.root} are used more than once "
                f"({shown}); each image needs an id of its own."
            )

    @cached_property
    def annotated(self) -> tuple[ImageRecord, ...]:
        """The records that somebody annotated."""
        return tuple(record for record in self.records if record.category_ids is not None)

    @cached_property
    def by_id(self) -> Mapping[str, ImageRecord]:
        """From image id to record."""
        return {record.image_id: record for record in self.records}

    def facts(self) -> Mapping[str, object]:
        """Return what it holds, in numbers."""
        return {
            "root": self.root,
            "images": len(self.records),
            "annotated": len(self.annotated),
            "categories": len(self.categories),
            "dives": len({record.dive for record in self.records if record.dive is not None}),
        }

    def subset(self, image_ids: Iterable[str]) -> Dataset:
        """Return the data set of some of its images, in the order given.

        Args:
            image_ids: Such as those of a part of a split: `split.ids_in("test")`.

        Raises:
            DatasetError: If it lacks one of them.
        """
        wanted = list(image_ids)
        lacking = [image_id for image_id in wanted if image_id not in self.by_id]
        if lacking:
            raise DatasetError(
                f"{len(lacking)} of {len(wanted)} images are not in the data set {self.root} "
                f"(first: {lacking[0]!r})."
            )
        return replace(self, records=tuple(self.by_id[image_id] for image_id in wanted))

    def truth(self, records: Iterable[ImageRecord] | None = None) -> npt.NDArray[np.bool_]:
        """Return the truth matrix (images, categories) of `records` (default: `annotated`)."""
        chosen = self.annotated if records is None else records
        return self.categories.multi_hot(record.category_ids or () for record in chosen)


@dataclass(frozen=True, slots=True)
class SplitRow(OfADive):
    """One line of a split file."""

    image_id: str
    dive: str
    part: str


@dataclass(frozen=True, repr=False)
class Split(ShortRepr):
    """Which part of an experiment each image belongs to.

    Attributes:
        rows: One row an image, in data set order.
        kind: "dive", "video", "random", "time", "novel", or "file" if unknown.
        seed: The seed that made it, if one did.
        notices: What a reader of the split should know, in sentences.
        unsplittable: Category ids that cannot be in two parts (one dive only).

    Example:
        >>> split = finding_nemo.make_split(dataset, "dive")  # doctest: +SKIP
        >>> split.parts, split.ids_in("test")[:3]  # doctest: +SKIP
    """

    rows: tuple[SplitRow, ...]
    kind: str = "file"
    seed: int | None = None
    notices: tuple[str, ...] = ()
    unsplittable: tuple[int, ...] = field(default=())

    @cached_property
    def part_of(self) -> Mapping[str, str]:
        """From image id to part."""
        return {row.image_id: row.part for row in self.rows}

    @cached_property
    def parts(self) -> Mapping[str, int]:
        """From part to number of images, in order of name."""
        return dict(sorted(Counter(row.part for row in self.rows).items()))

    @cached_property
    def is_folds(self) -> bool:
        """Whether the parts are `fold0`, `fold1`, ... (a part `novel` may stand beside them)."""
        return any(part.startswith("fold") for part in self.parts)

    def facts(self) -> Mapping[str, object]:
        """Return how it was made, and the images of each part."""
        return {"kind": self.kind, "seed": self.seed, **dict(list(self.parts.items())[:8])}

    def ids_in(self, part: str) -> tuple[str, ...]:
        """Return the image ids of `part`, in order.

        Raises:
            SplitError: If the split has no such part.
        """
        if part not in self.parts:
            raise SplitError(f"The split has no part {part!r}; it has {', '.join(self.parts)}.")
        return tuple(row.image_id for row in self.rows if row.part == part)

    def training_ids_for(self, part: str) -> tuple[str, ...]:
        """Return the ids that a model judged on `part` may learn from.

        For folds these are all the other folds; otherwise the part `train`.
        """
        if self.is_folds:
            others = {name for name in self.parts if name.startswith("fold")} - {part}
            return tuple(row.image_id for row in self.rows if row.part in others)
        return self.ids_in("train") if "train" in self.parts else ()


@dataclass(frozen=True, slots=True, repr=False)
class Prediction(ShortRepr):
    """What a bundle says of one image.

    Attributes:
        image_id: The image's name.
        path: The file as the user named it.
        width: Frame width in px, if the image could be read.
        height: Frame height in px, if the image could be read.
        failure: Why the image could not be used, or `None`.
        probabilities: Probability of each category in column order, float32, or `None` on failure.
        novelty: How unlike the training images it is, higher = further out, or `None` on failure.
        time_s: Seconds since its video's first frame, or `None` where it is no frame of a video.
        embedding: The network's features, float32, if they were asked for.
        assessment: How far to trust it, or `None` on failure and for baselines.
        answer: The one answer in words, or `None` on failure.
        dive: The dive it is from, if anything says so.
        captured: When it was filmed (UTC, no time zone attached), if known; midnight where only
            the day is.
        maps: Where in the frame each of the best guesses is seen, uint8 (guesses, rows, columns),
            255 = the patch that speaks most for it; `None` where there are none.
        ranking_scores: What categories are ranked by, higher first, in column order, float32;
            `None` where they are ranked by probability.
        origin: What predicted it, if a predictor did.

    Example:
        >>> for prediction in predictor.predict("frames/"):  # doctest: +SKIP
        ...     for category, probability in prediction.top(3):
        ...         print(prediction.image_id, category.name, probability)
    """

    image_id: str
    path: str
    width: int | None
    height: int | None
    failure: str | None
    probabilities: npt.NDArray[np.float32] | None
    novelty: float | None
    time_s: float | None = None
    embedding: npt.NDArray[np.float32] | None = None
    assessment: Assessment | None = None
    answer: Answer | None = None
    dive: str | None = None
    captured: datetime | None = None
    maps: npt.NDArray[np.uint8] | None = None
    ranking_scores: npt.NDArray[np.float32] | None = None
    origin: PredictionOrigin | None = field(default=None, repr=False, compare=False)

    @property
    def order_scores(self) -> npt.NDArray[np.float32] | None:
        """What categories are ranked by, higher first; `None` of an image that failed."""
        return self.probabilities if self.ranking_scores is None else self.ranking_scores

    @property
    def order(self) -> npt.NDArray[np.int64]:
        """The columns of all categories, best guess first; none of an image that failed."""
        scores = self.order_scores
        empty: npt.NDArray[np.int64] = np.zeros(0, dtype=np.int64)
        return empty if scores is None else np.argsort(-scores, kind="stable")

    def top(self, n: int = 5) -> tuple[tuple[Category, float], ...]:
        """Return the best guesses, best first; none of an image that failed.

        Args:
            n: How many at most.

        Returns:
            Pairs of a category and its probability.

        Raises:
            ArgumentError: If no predictor made it, so that nobody knows what its columns are.
        """
        if self.probabilities is None:
            return ()
        if self.origin is None:
            raise ArgumentError(
                "top() takes a prediction that a Predictor made: of this one nobody knows which "
                "category each probability is of."
            )
        categories = self.origin.categories.categories
        return tuple(
            (categories[column], float(self.probabilities[column])) for column in self.order[:n]
        )

    def facts(self) -> Mapping[str, object]:
        """Return the image and the one answer to it."""
        facts: dict[str, object] = {"image_id": self.image_id}
        if self.failure is not None:
            return {**facts, "failure": self.failure}
        if self.answer is not None:
            facts |= {
                "answer": self.answer.text,
                "confidence": self.answer.confidence,
                "why": self.answer.why,
            }
        if self.probabilities is not None:
            if self.origin is not None:
                facts["best_guess"] = self.top(1)[0][0].name
            facts["best_probability"] = f"{float(self.probabilities.max()):.3f}"
        return {**facts, "novelty": f"{self.novelty:.4g}" if self.novelty is not None else None}
