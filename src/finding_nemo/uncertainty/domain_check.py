"""Whether the frames of a run look like those that the bundle was trained on, said first of all.

A bundle names whatever it is shown. On frames from another world (another camera, another sea, no
sea at all) its names mean nothing, and no single row says so. So the frames are laid beside the
validation images, which are of dives that training never saw either: where more than half of them
are further out than nearly all validation images, they are foreign.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

import numpy as np

from finding_nemo.core.arrays import AnyFloats

Verdict = Literal["alike", "partly foreign", "foreign"]

# A frame is far out beyond this share of the validation images: one in a hundred of these is.
FAR_OUT = 0.99
# Of the frames; no held-out dive of its own world has as many
# (docs/experiments/0037-answer-words.md).
_SHARE_OF_FOREIGN = 0.5
# Fewer say nothing.
LEAST_FRAMES = 5
# Of fewer, most may be odd by chance (88 % of 8 were, in one of 40 drawn dives): all must be.
ENOUGH_FRAMES = 10
# Frames of a dive are alike: with this correlation a dive counts as 5 frames at most.
_FRAME_CORRELATION = 0.2
_DIVES_NAMED = 5

DO_NOT_TRUST = "do not trust the names"


@dataclass(frozen=True, slots=True, kw_only=True)
class DomainCheck:
    """What a run's frames say of the world that they come from.

    Attributes:
        verdict: "alike"; "foreign" where most are far out, of fewer than ten frames all; "partly
            foreign" where most frames of some dives are.
        share_far_out: Share of the frames that are further out than 99 % of the validation
            images, each dive counting as 5 frames at most, in [0, 1].
        n_images: Frames that could be read and compared.
        n_dives: Their dives; frames of no known dive are one.
        foreign_dives: The dives most of whose frames are far out, "" for frames of no known dive.
    """

    verdict: Verdict
    share_far_out: float
    n_images: int
    n_dives: int
    foreign_dives: tuple[str, ...]

    @property
    def in_words(self) -> str:
        """What a person should know before anything else; "" where there is nothing to say."""
        if self.verdict == "foreign":
            return (
                "These frames look unlike those that the bundle was trained on: "
                f"{DO_NOT_TRUST}. {100 * self.share_far_out:.0f} % of them are further out than 99 "
                "in 100 frames of new dives were in its training."
            )
        if self.verdict == "partly foreign":
            named = ", ".join(name or "no known dive" for name in self.foreign_dives[:_DIVES_NAMED])
            more = len(self.foreign_dives) - _DIVES_NAMED
            named += f" and {more} more" if more > 0 else ""
            return (
                f"The frames of {len(self.foreign_dives)} of {self.n_dives} dives look unlike "
                f"those that the bundle was trained on ({named}): {DO_NOT_TRUST} there."
            )
        return ""

    def to_json(self) -> dict[str, Any]:
        """Return it as JSON-ready values, with the words."""
        return {
            "verdict": self.verdict,
            "message": self.in_words,
            "share_far_out": self.share_far_out,
            "n_images": self.n_images,
            "n_dives": self.n_dives,
            "foreign_dives": list(self.foreign_dives),
        }


@dataclass(frozen=True, slots=True)
class DiveCounts:
    """Frames of one dive.

    Attributes:
        frames: Those that could be compared.
        far_out: Those that are far out.
    """

    frames: int
    far_out: int


def check_domain(counts: Mapping[str, DiveCounts]) -> DomainCheck | None:
    """Judge a run by how many frames of each dive are far out.

    Args:
        counts: By dive; "" for frames of no known dive.

    Returns:
        `None` where too few frames could be compared to say anything.
    """
    known = {dive: count for dive, count in counts.items() if count.frames}
    frames = np.array([count.frames for count in known.values()], dtype=np.float64)
    if frames.sum() < LEAST_FRAMES:
        return None
    shares = np.array([count.far_out for count in known.values()]) / frames
    weights = frames / (1 + (frames - 1) * _FRAME_CORRELATION)
    share = float((shares * weights).sum() / weights.sum())
    foreign = tuple(
        dive
        for dive, of_dive in zip(known, shares.tolist(), strict=True)
        if of_dive > _SHARE_OF_FOREIGN and known[dive].frames >= ENOUGH_FRAMES
    )
    verdict: Verdict = "partly foreign" if foreign else "alike"
    least_share = _SHARE_OF_FOREIGN if frames.sum() >= ENOUGH_FRAMES else 1 - 1e-9
    return DomainCheck(
        verdict="foreign" if share > least_share else verdict,
        share_far_out=share,
        n_images=int(frames.sum()),
        n_dives=len(known),
        foreign_dives=foreign,
    )


@dataclass
class DomainCounter:
    """Counts frames as they come; what it keeps grows with the dives alone."""

    _frames: dict[str, int] = field(default_factory=lambda: defaultdict(int))
    _far_out: dict[str, int] = field(default_factory=lambda: defaultdict(int))

    def add(self, percentiles: AnyFloats, dives: Iterable[str | None]) -> None:
        """Count frames.

        Args:
            percentiles: Share of the validation images that are less far out, NaN where unknown.
            dives: Of each frame.
        """
        for percentile, dive in zip(percentiles.tolist(), dives, strict=True):
            if percentile == percentile:
                self._frames[dive or ""] += 1
                self._far_out[dive or ""] += percentile >= FAR_OUT

    def verdict(self) -> DomainCheck | None:
        """Return what the frames so far say."""
        return check_domain(
            {dive: DiveCounts(n, self._far_out[dive]) for dive, n in self._frames.items()}
        )
