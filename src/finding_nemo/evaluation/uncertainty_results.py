"""What an evaluation found of novelty, calibration, thresholds, sets and rollup."""

from __future__ import annotations

from dataclasses import dataclass

from finding_nemo.metrics.calibration_error import Reliability
from finding_nemo.uncertainty.conformal import SetScores


@dataclass(frozen=True, slots=True)
class ScorerResult:
    """How well one score finds images with a category that training never saw.

    Attributes:
        name: The score.
        kind: "default" (the one shown to people), "score", or "floor" (opens no image, or takes
            its mean brightness alone; in its better direction, chosen with hindsight).
        auc: Area under the ROC curve.
        auc_low: Lower end of its 95 % interval by dive.
        auc_high: Upper end.
        scaled_auc: 2 x AUC - 1.
        fpr_at_95: Share of the other images that raise alarm where 95 % of the novel ones do.
        fpr_low: Lower end of its interval.
        fpr_high: Upper end.
    """

    name: str
    kind: str
    auc: float
    auc_low: float
    auc_high: float
    scaled_auc: float
    fpr_at_95: float
    fpr_low: float
    fpr_high: float


@dataclass(frozen=True, slots=True)
class PointResult:
    """A category's threshold: what was stated for it, and what it reached here.

    Attributes:
        id: FathomNet's number.
        name: The category.
        threshold: Named at this probability or above.
        is_reached: Whether the wanted precision was reached on the validation dives. Where it
            was not, predictions never name the category, and this is the most precise threshold.
        stated: Precision on the validation dives.
        stated_low: Lower end of its stated interval.
        stated_high: Upper end.
        stated_recall: Recall on the validation dives.
        n_validation: Validation images that hold it.
        reached: Precision here, NaN where nothing lies above the threshold.
        reached_recall: Recall here, NaN where no judged image holds it.
        n_named: Judged images at the threshold or above.
        is_within: Whether the precision here lies in the stated interval; `None` where nothing
            lies above the threshold.
    """

    id: int
    name: str
    threshold: float
    is_reached: bool
    stated: float
    stated_low: float
    stated_high: float
    stated_recall: float
    n_validation: int
    reached: float
    reached_recall: float
    n_named: int
    is_within: bool | None


@dataclass(frozen=True, slots=True)
class AnswerResult:
    """One kind of answer: how often it was given, and how often it was right.

    Attributes:
        kind: "category", "supercategory" or "nothing".
        n_images: Judged images with that answer.
        share_right: Of them, NaN where there is none or nothing was said.
    """

    kind: str
    n_images: int
    share_right: float


@dataclass(frozen=True, slots=True)
class RollupResult:
    """One way from categories to the probability of their supercategory.

    Attributes:
        rule: "noisy-or", "max" or "sum".
        ece: Calibration error over supercategories.
        brier: Brier score over supercategories.
        mean_ap: Mean average precision of the supercategories that occur.
    """

    rule: str
    ece: float
    brier: float
    mean_ap: float


@dataclass(frozen=True)
class UncertaintyResults:
    """How far the predictions can be trusted, measured on the judged images.

    Attributes:
        scorers: Every novelty score with the floors; empty where no image is novel, or all are.
        raw: Reliability before calibration; `None` where the file names no calibration.
        calibrated: Reliability of the probabilities as given.
        chance_ece: Calibration error that perfect probabilities would show on these dives.
        precision: The wanted one, `None` where the file names none.
        points: One a category with a threshold, those that are named first.
        n_without_point: Categories of which too few validation images or dives tell anything.
        sets: What the sets reach; `None` where the file names no threshold.
        set_risk: Share of frames that may miss a true category.
        answers: Answers by kind.
        rollups: Ways to a supercategory.
        distances: Mean steps in the tree from the answer to the nearest true category, by way.
    """

    scorers: tuple[ScorerResult, ...]
    raw: Reliability | None
    calibrated: Reliability
    chance_ece: float
    precision: float | None
    points: tuple[PointResult, ...]
    n_without_point: int
    sets: SetScores | None
    set_risk: float | None
    answers: tuple[AnswerResult, ...]
    rollups: tuple[RollupResult, ...]
    distances: dict[str, float]
