"""What a data set holds, counted from its annotations alone."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

import numpy as np

from finding_nemo.core.records import Dataset, ImageRecord
from finding_nemo.evaluation.dataset.box_sizes import AnimalSizes, measure_animals
from finding_nemo.metrics.baselines import frame_key
from finding_nemo.metrics.leakage import seconds_to_next

_N_PAIRS = 20
_YEARS_BY_MONTH = 3
_YEARS_BY_YEAR = 60
_FEW_IMAGES = 5


@dataclass(frozen=True, slots=True)
class OriginCount:
    """The images of one annotation file."""

    name: str
    n_images: int
    n_annotated: int
    n_dives: int


@dataclass(frozen=True, slots=True)
class CategoryCount:
    """How often a category was annotated, and on how many dives."""

    name: str
    supercategory: str
    n_images: int
    n_dives: int


@dataclass(frozen=True, slots=True)
class SupercategoryCount:
    """A supercategory: its categories, those with an image, and its images."""

    name: str
    n_categories: int
    n_with_images: int
    n_images: int


@dataclass(frozen=True, slots=True)
class Pair:
    """Two categories seen together.

    Attributes:
        first: The more frequent one.
        second: The other.
        n_images: Frames that hold both.
        lift: How many times more often than if they did not know of each other.
    """

    first: str
    second: str
    n_images: int
    lift: float


@dataclass(frozen=True)
class Exploration:
    """A data set in numbers.

    Attributes:
        origins: One entry an annotation file.
        n_shared_dives: Dives that occur in more than one annotation file.
        n_boxes: Boxes in all.
        categories: Most frequent first.
        supercategories: Most frequent first.
        labels_per_image: Annotated images by number of categories.
        frame_sizes: Images by (width, height) px, most frequent first.
        n_unsized: Images whose size nobody recorded.
        over_time: Images by month, year, decade or century, in order.
        n_timed: Images with a time of day.
        n_undated: Images without even a date.
        within_10_s: Share of the timed images with another of their dive at most 10 s away.
        within_60_s: The same for 60 s.
        pairs: The most frequent pairs of categories.
        animals: Sizes of the boxes; `None` without boxes.
    """

    origins: tuple[OriginCount, ...]
    n_shared_dives: int
    n_boxes: int
    categories: tuple[CategoryCount, ...]
    supercategories: tuple[SupercategoryCount, ...]
    labels_per_image: Mapping[int, int]
    frame_sizes: Mapping[tuple[int, int], int]
    n_unsized: int
    over_time: Mapping[str, int]
    n_timed: int
    n_undated: int
    within_10_s: float
    within_60_s: float
    pairs: tuple[Pair, ...]
    animals: AnimalSizes | None

    @property
    def n_images(self) -> int:
        """Images of all annotation files."""
        return sum(origin.n_images for origin in self.origins)

    @property
    def n_without_image(self) -> int:
        """Categories without an annotated image."""
        return sum(category.n_images == 0 for category in self.categories)

    @property
    def n_scarce(self) -> int:
        """Categories with one to five annotated images."""
        return sum(0 < category.n_images <= _FEW_IMAGES for category in self.categories)

    @property
    def n_single_dive(self) -> int:
        """Categories that occur on one dive only."""
        return sum(category.n_dives == 1 for category in self.categories)


def explore(dataset: Dataset) -> Exploration:
    """Count what a data set holds; no image is opened."""
    records = dataset.records
    keys = [frame_key(record) for record in records]
    timed = ~np.isnan([key.time_s for key in keys])
    gaps = seconds_to_next(keys)[timed]
    sizes = Counter((r.width, r.height) for r in records if r.width and r.height)
    dives_of = _dives_by_origin(records)
    in_origins = Counter(dive for dives in dives_of.values() for dive in dives)
    return Exploration(
        origins=tuple(_origin(records, name, len(dives)) for name, dives in dives_of.items()),
        n_shared_dives=sum(count > 1 for count in in_origins.values()),
        n_boxes=sum(len(record.boxes) for record in records),
        categories=_categories(dataset),
        supercategories=_supercategories(dataset),
        labels_per_image=_ordered(len(r.category_ids or ()) for r in dataset.annotated),
        frame_sizes={(int(w or 0), int(h or 0)): n for (w, h), n in sizes.most_common()},
        n_unsized=len(records) - sizes.total(),
        over_time=_over_time(records),
        n_timed=int(timed.sum()),
        n_undated=sum(record.captured is None for record in records),
        within_10_s=float((gaps <= 10).mean()) if gaps.size else float("nan"),
        within_60_s=float((gaps <= 60).mean()) if gaps.size else float("nan"),
        pairs=_pairs(dataset),
        animals=measure_animals(records),
    )


def _dives_by_origin(records: Sequence[ImageRecord]) -> dict[str, set[str]]:
    dives: dict[str, set[str]] = {}
    for record in records:
        found = dives.setdefault(record.origin, set())
        if record.dive:
            found.add(record.dive)
    return dives


def _origin(records: Sequence[ImageRecord], name: str, n_dives: int) -> OriginCount:
    members = [record for record in records if record.origin == name]
    n_annotated = sum(record.category_ids is not None for record in members)
    return OriginCount(name, len(members), n_annotated, n_dives)


def _categories(dataset: Dataset) -> tuple[CategoryCount, ...]:
    truth = dataset.truth()
    dives = np.array([record.dive or "" for record in dataset.annotated], dtype=np.str_)
    counts = [
        CategoryCount(
            category.name,
            category.supercategory,
            int(held.sum()),
            len(set(dives[held].tolist()) - {""}),
        )
        for category, held in zip(dataset.categories.categories, truth.T, strict=True)
    ]
    return tuple(sorted(counts, key=lambda count: (-count.n_images, count.name)))


def _supercategories(dataset: Dataset) -> tuple[SupercategoryCount, ...]:
    truth = dataset.truth()
    names = np.array(dataset.categories.supercategories)
    found = []
    for name in np.unique(names):
        columns = truth[:, names == name]
        n_images = int(columns.any(axis=1).sum())
        n_used = int(columns.any(axis=0).sum())
        found.append(SupercategoryCount(str(name), columns.shape[1], n_used, n_images))
    return tuple(sorted(found, key=lambda count: (-count.n_images, count.name)))


def _ordered(values: Iterable[int]) -> dict[int, int]:
    return dict(sorted(Counter(values).items()))


def _over_time(records: Sequence[ImageRecord]) -> dict[str, int]:
    moments = [record.captured for record in records if record.captured is not None]
    if not moments:
        return {}
    years = (max(moments) - min(moments)).days / 365
    counts = Counter(_span_of(moment, years) for moment in moments)
    return dict(sorted(counts.items()))


def _span_of(moment: datetime, years: float) -> str:
    """Return the span that a moment is counted in, of a few dozen that fit a figure."""
    if years <= _YEARS_BY_MONTH:
        return f"{moment.year:04}-{moment.month:02}"
    if years <= _YEARS_BY_YEAR:
        return f"{moment.year:04}"
    step = 10 if years <= 10 * _YEARS_BY_YEAR else 100
    return f"{moment.year // step * step:04} on"


def _pairs(dataset: Dataset) -> tuple[Pair, ...]:
    truth = dataset.truth().astype(np.float32)
    together = np.triu(truth.T @ truth, k=1)
    counts, names = truth.sum(axis=0), dataset.categories.names
    best = np.argsort(-together, axis=None, kind="stable")[:_N_PAIRS].tolist()
    pairs = []
    for a, b in (divmod(position, len(names)) for position in best):
        if together[a, b] > 0:
            first, second = (a, b) if counts[a] >= counts[b] else (b, a)
            lift = float(together[a, b] * len(truth) / (counts[a] * counts[b]))
            pairs.append(Pair(names[first], names[second], int(together[a, b]), lift))
    return tuple(pairs)
