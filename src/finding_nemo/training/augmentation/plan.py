"""Augmentation, planned: views of a frame cut out, mirrored, jittered and pasted into.

A plan opens no image and is drawn from the seed, the frame and the view's number alone, so the
labels of a view are known before, and without, its pixels. Places are shares of the frame from its
top left corner: frames of any size fit, and nothing changes when all are resized.
"""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, fields

import numpy as np
import numpy.typing as npt

from finding_nemo.core.categories import CategoryTable
from finding_nemo.core.records import ImageRecord
from finding_nemo.training.augmentation.color_transfer import ColorTransfer, ColorTransferSources

_LEAST_AREA = 0.55
# A box that a cut leaves less of is no longer a teacher: it may show a fin.
_LEAST_LEFT = 0.3
# A box that a pasted animal covers more of is gone.
_MOST_COVERED = 0.6
_LARGEST_SOURCE = 0.25
_LEAST_SOURCE_SIDE = 0.025
_EDGE = 0.004
# The rim of a pasted cut-out is blended into its new surroundings.
PASTE_MARGIN = 0.15


@dataclass(frozen=True, slots=True)
class Area:
    """A rectangle in shares of a frame."""

    left: float
    top: float
    right: float
    bottom: float

    @property
    def size(self) -> float:
        """Its share of the frame."""
        return max(self.right - self.left, 0.0) * max(self.bottom - self.top, 0.0)

    def overlap(self, other: Area) -> Area:
        """Return what both have; of size 0 if nothing."""
        return Area(
            max(self.left, other.left),
            max(self.top, other.top),
            min(self.right, other.right),
            min(self.bottom, other.bottom),
        )

    def seen_from(self, window: Area) -> Area:
        """Return the same rectangle in shares of `window`."""
        width, height = window.right - window.left, window.bottom - window.top
        return Area(
            (self.left - window.left) / width,
            (self.top - window.top) / height,
            (self.right - window.left) / width,
            (self.bottom - window.top) / height,
        )

    def mirrored(self) -> Area:
        """Return it with left and right exchanged."""
        return Area(1 - self.right, self.top, 1 - self.left, self.bottom)


@dataclass(frozen=True, slots=True)
class Mark:
    """One animal in a frame: its column, and where."""

    column: int
    area: Area


@dataclass(frozen=True, slots=True)
class PasteSource:
    """An animal that can be pasted into other frames."""

    record: ImageRecord
    mark: Mark


@dataclass(frozen=True, slots=True)
class Paste:
    """A source's cut-out, margin included, and where it goes in the view."""

    paste_source: PasteSource
    source: Area
    target: Area
    mirrored: bool
    colour_match: float


@dataclass(frozen=True, slots=True)
class ColorJitter:
    """What is done to the light: gamma, a gain for each channel, noise in grey levels."""

    gamma: float = 1.0
    gains: tuple[float, float, float] = (1.0, 1.0, 1.0)
    greyness: float = 0.0
    noise: float = 0.0


@dataclass(frozen=True, slots=True)
class AugmentationPlan:
    """A planned view of a frame and what is in it.

    Attributes:
        record: The frame.
        seed: Of the noise.
        color_transfer: Whose light the frame is shown in; nothing for its own.
        window: What is cut out of the frame.
        mirrored: Whether left and right are exchanged, after everything else.
        color_jitter: What is done to the light.
        pastes: What is pasted, in order.
        marks: The animals that are seen, in shares of the view.
        unplaced: Columns known to be present that no box places.
    """

    record: ImageRecord
    seed: int
    color_transfer: ColorTransfer | None
    window: Area
    mirrored: bool
    color_jitter: ColorJitter
    pastes: tuple[Paste, ...]
    marks: tuple[Mark, ...]
    unplaced: frozenset[int]


WHOLE = Area(0.0, 0.0, 1.0, 1.0)


@dataclass(frozen=True, slots=True, kw_only=True)
class AugmentationPolicy:
    """How strongly frames are augmented; each field is a setting of the same name.

    Attributes:
        copy_paste: How many animals are pasted into a view on average; 0 for none.
        color_transfer_prob: Share of views in the light of another dive's frame.
    """

    copy_paste: float = 0.0
    color_transfer_prob: float = 0.0

    @classmethod
    def of(cls, settings: object) -> AugmentationPolicy:
        """Return the policy that the settings of a recipe say."""
        return cls(**{field.name: getattr(settings, field.name) for field in fields(cls)})


def marks_of(record: ImageRecord, categories: CategoryTable) -> tuple[Mark, ...]:
    """Return the boxes of a frame in shares of it; none if its size is not recorded."""
    if not record.width or not record.height:
        return ()
    return tuple(
        Mark(
            categories.column_of(box.category_id),
            Area(
                box.x_px / record.width,
                box.y_px / record.height,
                (box.x_px + box.width_px) / record.width,
                (box.y_px + box.height_px) / record.height,
            ).overlap(WHOLE),
        )
        for box in record.boxes
    )


def identity_plan(record: ImageRecord, categories: CategoryTable) -> AugmentationPlan:
    """Return the frame as it is."""
    marks = marks_of(record, categories)
    present = {categories.column_of(number) for number in record.category_ids or ()}
    unplaced = frozenset(present - {mark.column for mark in marks})
    return AugmentationPlan(record, 0, None, WHOLE, False, ColorJitter(), (), marks, unplaced)


class PasteSources:
    """The animals of the training frames that can be pasted, drawn rare ones more often.

    An animal that touches the frame's edge is cut off (or a part of the vehicle), and a large one
    is a scene: neither is pasted.
    """

    def __init__(self, records: Sequence[ImageRecord], categories: CategoryTable) -> None:
        """Collect them from `records`, which must be training frames only."""
        self.paste_sources = tuple(
            PasteSource(record, mark)
            for record in records
            for mark in marks_of(record, categories)
            if _can_be_pasted(mark.area)
        )
        self._shares = np.cumsum(_source_shares(self.paste_sources))

    def draw(self, generator: np.random.Generator) -> PasteSource:
        """Return one of them."""
        position = int(np.searchsorted(self._shares, generator.random(), side="right"))
        return self.paste_sources[min(position, len(self.paste_sources) - 1)]


def _can_be_pasted(area: Area) -> bool:
    inside = min(area.left, area.top, 1 - area.right, 1 - area.bottom) > _EDGE
    least_side = min(area.right - area.left, area.bottom - area.top)
    return inside and area.size < _LARGEST_SOURCE and least_side > _LEAST_SOURCE_SIDE


def _source_shares(paste_sources: Sequence[PasteSource]) -> npt.NDArray[np.float64]:
    """Square root of a category's count, spread evenly over its dives and then their boxes."""
    if not paste_sources:
        return np.zeros(0)
    positions = [(d.mark.column, d.record.dive_or_own) for d in paste_sources]
    in_dive = Counter(positions)
    in_category = Counter(column for column, _ in positions)
    dives = Counter(column for column, _ in in_dive)
    shares = np.array(
        [in_category[c] ** 0.5 / dives[c] / in_dive[(c, dive)] for c, dive in positions]
    )
    normalised: npt.NDArray[np.float64] = shares / shares.sum()
    return normalised


def plan_augmentation(
    record: ImageRecord,
    number: int,
    paste_sources: PasteSources,
    color_transfers: ColorTransferSources,
    categories: CategoryTable,
    *,
    seed: int,
    policy: AugmentationPolicy,
) -> AugmentationPlan:
    """Return view `number` (1 and up) of a frame.

    Args:
        record: The frame.
        number: Each number is another view.
        paste_sources: What can be pasted.
        color_transfers: Whose light the frame can be shown in.
        categories: For columns.
        seed: Of the training.
        policy: How strongly.

    Source:
        Ghiasi et al., "Simple Copy-Paste is a Strong Data Augmentation Method for Instance
        Segmentation", 2021, arXiv:2012.07177, with boxes in place of masks.
    """
    plan_seed = _plan_seed(record, number, seed)
    generator = np.random.default_rng(plan_seed)
    plain = identity_plan(record, categories)
    window = _draw_window(generator)
    marks = _cut(plain.marks, window)
    pasted = []
    for _ in range(int(generator.poisson(policy.copy_paste)) if paste_sources.paste_sources else 0):
        paste = _draw_paste(paste_sources.draw(generator), generator)
        if paste is not None:
            pasted.append(paste)
            marks = _with_paste(marks, paste)
    mirrored = bool(generator.random() < 0.5)
    if mirrored:
        marks = tuple(Mark(mark.column, mark.area.mirrored()) for mark in marks)
    color_jitter = _draw_color_jitter(generator)
    color_transfer = color_transfers.draw(generator)
    return AugmentationPlan(
        record,
        plan_seed,
        color_transfer,
        window,
        mirrored,
        color_jitter,
        tuple(pasted),
        marks,
        plain.unplaced,
    )


def _plan_seed(record: ImageRecord, number: int, seed: int) -> int:
    digest = hashlib.sha256(f"{seed} {number} {record.image_id}".encode()).digest()
    return int.from_bytes(digest[:8], "little")


def _draw_window(generator: np.random.Generator) -> Area:
    side = generator.uniform(_LEAST_AREA, 1.0) ** 0.5
    left, top = generator.uniform(0, 1 - side, 2)
    return Area(left, top, left + side, top + side)


def _cut(marks: Sequence[Mark], window: Area) -> tuple[Mark, ...]:
    left = [(mark, mark.area.overlap(window)) for mark in marks]
    return tuple(
        Mark(mark.column, part.seen_from(window))
        for mark, part in left
        if part.size > 0 and part.size >= _LEAST_LEFT * mark.area.size
    )


def _draw_paste(paste_source: PasteSource, generator: np.random.Generator) -> Paste | None:
    area = paste_source.mark.area
    x_margin = PASTE_MARGIN * (area.right - area.left)
    y_margin = PASTE_MARGIN * (area.bottom - area.top)
    source = Area(
        area.left - x_margin, area.top - y_margin, area.right + x_margin, area.bottom + y_margin
    ).overlap(WHOLE)
    scale = float(np.exp(generator.normal(0, 0.3)))
    width, height = (source.right - source.left) * scale, (source.bottom - source.top) * scale
    if max(width, height) > 0.7:
        return None
    left, top = generator.uniform(0, 1 - width), generator.uniform(0, 1 - height)
    target = Area(left, top, left + width, top + height)
    return Paste(
        paste_source,
        source,
        target,
        bool(generator.random() < 0.5),
        float(generator.uniform(0.2, 0.8)),
    )


def _with_paste(marks: Sequence[Mark], paste: Paste) -> tuple[Mark, ...]:
    still = [
        mark
        for mark in marks
        if mark.area.overlap(paste.target).size < _MOST_COVERED * max(mark.area.size, 1e-12)
    ]
    return (*still, Mark(paste.paste_source.mark.column, _without_margin(paste.target)))


def _without_margin(area: Area) -> Area:
    share = PASTE_MARGIN / (1 + 2 * PASTE_MARGIN)
    x, y = share * (area.right - area.left), share * (area.bottom - area.top)
    return Area(area.left + x, area.top + y, area.right - x, area.bottom - y)


def _draw_color_jitter(generator: np.random.Generator) -> ColorJitter:
    gains = np.exp(generator.normal(0, 0.12, 3) + generator.normal(0, 0.15))
    return ColorJitter(
        gamma=float(np.exp(generator.normal(0, 0.2))),
        gains=(float(gains[0]), float(gains[1]), float(gains[2])),
        greyness=0.7 if generator.random() < 0.2 else 0.0,
        noise=float(generator.uniform(0, 10)) if generator.random() < 0.3 else 0.0,
    )
