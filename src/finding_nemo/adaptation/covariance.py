"""How alike the frames of a dive are: by features, by clip and by time, as one covariance."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from finding_nemo.adaptation.adaptation_settings import KernelSettings
from finding_nemo.core.arrays import AnyFloats, Float64s, Ints

NO_CLIP = -1


@dataclass(frozen=True, kw_only=True)
class DiveFrames:
    """The frames of one dive, as far as they are known without their labels.

    Attributes:
        features: Of unit length, shape (frames, features); `None` where there are none.
        clips: A number a clip, shape (frames,); `NO_CLIP` where none is known.
        numbers: The frame's number in its clip, NaN where unknown, shape (frames,).
        times_s: When it was filmed in seconds of any one clock, NaN where unknown, same shape.
    """

    features: AnyFloats | None
    clips: Ints
    numbers: Float64s
    times_s: Float64s

    def __len__(self) -> int:
        return len(self.clips)

    @property
    def has_times(self) -> bool:
        """Whether every frame has a time: only then is it used, so that all have one measure."""
        return bool(len(self)) and not np.isnan(self.times_s).any()

    def take(self, rows: Ints) -> DiveFrames:
        """Return some of the frames, in the order of `rows`."""
        return DiveFrames(
            features=None if self.features is None else self.features[rows],
            clips=self.clips[rows],
            numbers=self.numbers[rows],
            times_s=self.times_s[rows],
        )

    def without_places(self) -> DiveFrames:
        """Return the frames with nothing known of clip and time."""
        nothing = np.full(len(self), np.nan)
        return replace(self, clips=np.full(len(self), NO_CLIP), numbers=nothing, times_s=nothing)


def covariance(
    first: DiveFrames, second: DiveFrames, settings: KernelSettings, *, by_time: bool
) -> Float64s:
    """Return what frames are expected to share, shape (first, second).

    Each term is a positive definite kernel, and so are their sums and products; what is not known
    of two frames adds nothing to what they share.

    Args:
        first: Frames of a dive.
        second: Frames of the same dive.
        settings: Variances and reaches.
        by_time: Whether `times_s` of both are used instead of clips and numbers.

    Source:
        Rasmussen and Williams, "Gaussian Processes for Machine Learning", 2006, sections 4.2
        (exponential and squared exponential kernels) and 4.2.4 (sums and products).
    """
    shared_clip, shared_moment = _in_time(first, second, settings, by_time=by_time)
    likeness = _likeness(first, second, settings)
    found: Float64s = (
        settings.dive
        + settings.clip * shared_clip
        + settings.moment * shared_moment
        + settings.features * likeness
        + settings.features_in_clip * likeness * shared_clip
    )
    return found


def own_variance(frames: DiveFrames, settings: KernelSettings, *, by_time: bool) -> Float64s:
    """Return the diagonal of the frames' covariance with themselves, shape (frames,)."""
    has_clip = np.ones(len(frames)) if by_time else (frames.clips != NO_CLIP).astype(np.float64)
    has_moment = has_clip if by_time else has_clip * ~np.isnan(frames.numbers)
    alike = 0.0 if frames.features is None else 1.0
    found: Float64s = (
        settings.dive
        + settings.clip * has_clip
        + settings.moment * has_moment
        + settings.features * alike
        + settings.features_in_clip * alike * has_clip
    )
    return found


def _in_time(
    first: DiveFrames, second: DiveFrames, settings: KernelSettings, *, by_time: bool
) -> tuple[Float64s, Float64s]:
    if by_time:
        apart_s = np.abs(first.times_s[:, np.newaxis] - second.times_s)
        return np.exp(-apart_s / settings.far_s), np.exp(-apart_s / settings.near_s)
    is_same = (first.clips[:, np.newaxis] == second.clips) & (second.clips != NO_CLIP)
    shared_clip = is_same.astype(np.float64)
    apart = np.abs(first.numbers[:, np.newaxis] - second.numbers)
    near = np.exp(-np.nan_to_num(apart, nan=np.inf) / settings.near_frames)
    return shared_clip, shared_clip * near


def _likeness(first: DiveFrames, second: DiveFrames, settings: KernelSettings) -> Float64s:
    if first.features is None or second.features is None:
        return np.zeros((len(first), len(second)))
    left, right = first.features.astype(np.float32), second.features.astype(np.float32)
    cosine = np.clip(left @ right.T, -1.0, 1.0).astype(np.float64)
    found: Float64s = np.exp((cosine - 1.0) / settings.likeness_scale)
    return found


def unit_rows(features: AnyFloats) -> AnyFloats:
    """Return rows scaled to unit length; a row of zeros stays one."""
    lengths = np.linalg.norm(features, axis=1, keepdims=True)
    found: AnyFloats = np.divide(features, lengths, out=np.zeros_like(features), where=lengths > 0)
    return found
