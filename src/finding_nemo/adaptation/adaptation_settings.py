"""Every number of the adaptation in one table, with where it comes from.

They were chosen by reviews that were simulated on four folds of unseen dives with three recipes
(docs/experiments/0040-adaptation.md); `tune_adaptation` does the same on dives of one's own.
"""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass(frozen=True, kw_only=True, slots=True)
class KernelSettings:
    """How alike two frames of a dive are: variances of what they share, and its reach.

    Attributes:
        dive: What all frames of the dive share.
        clip: What frames of one clip, or of one stretch of time, share.
        moment: What frames share that were filmed one soon after the other.
        features: What frames share that look alike to the network.
        features_in_clip: What frames of one clip share that look alike.
        likeness_scale: Cosine lost until two frames count 1/e as alike.
        near_frames: Frames apart until `moment` has fallen to 1/e, where only numbers are known.
        near_s: The same in seconds, where times are known.
        far_s: Seconds apart until `clip` has fallen to 1/e, where times are known.
        noise: Variance of a review around what the frames share; wrong labels are part of it.
        base_share: Share of the base prediction that a dive's frames begin with.
    """

    dive: float = 0.13
    clip: float = 0.44
    moment: float = 0.49
    features: float = 0.24
    features_in_clip: float = 0.32
    likeness_scale: float = 0.31
    near_frames: float = 7.7
    # FathomNet's dives by labels and times alone: 30 s and 600 s are within 0.01 of the best.
    near_s: float = 30.0
    far_s: float = 600.0
    noise: float = 0.2
    base_share: float = 0.64


@dataclass(frozen=True, kw_only=True, slots=True)
class CalibrationSettings:
    """From adapted scores to probabilities: a straight line of logits, which turns with variance.

    Attributes:
        slope: Of the score's logit.
        slope_by_variance: How the slope changes with the frame's posterior variance.
        offset: Added to the logit.
        offset_by_variance: How the offset changes with the variance.
    """

    slope: float = 2.07
    slope_by_variance: float = -0.618
    offset: float = 0.300
    offset_by_variance: float = 0.324


@dataclass(frozen=True, kw_only=True, slots=True)
class QualitySettings:
    """How good the rest of a dive is, told from what is known without its truth.

    Attributes:
        weights: Of 1, the mean largest probability of the rest, the mean AP of reviewed frames
            that the others foretell, the mean variance, and 1 / sqrt(frames reviewed).
        low: Scaled error below which 5 % of the simulated dives lie.
        high: Scaled error above which 5 % lie.
        few: How much wider the interval is with few frames: by 1 + few / frames reviewed.
        decay: How fast the loss falls with frames reviewed: as (frames + 1) ** -decay.
    """

    weights: tuple[float, float, float, float, float] = (0.406, 0.543, 0.050, -0.031, 0.072)
    low: float = -0.664
    high: float = 0.352
    few: float = 3.0
    decay: float = 0.8


@dataclass(frozen=True, kw_only=True, slots=True)
class AdaptationSettings:
    """All numbers of the adaptation.

    Attributes:
        kernel: How alike frames are.
        calibration: From scores to probabilities.
        quality: How good the rest is.
    """

    kernel: KernelSettings = field(default_factory=KernelSettings)
    calibration: CalibrationSettings = field(default_factory=CalibrationSettings)
    quality: QualitySettings = field(default_factory=QualitySettings)


DEFAULTS = AdaptationSettings()
