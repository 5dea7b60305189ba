"""What an evaluation found, as frozen records and as JSON."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

from finding_nemo.core.records import OfADive
from finding_nemo.core.text.intervals import interval_in_words
from finding_nemo.core.text.short_repr import ShortRepr
from finding_nemo.evaluation.evaluate_answers import AnswerScore
from finding_nemo.evaluation.uncertainty_results import UncertaintyResults
from finding_nemo.metrics.leakage import Leakage
from finding_nemo.metrics.ranking_scores import RankingScores
from finding_nemo.metrics.thresholded import ThresholdScores


@dataclass(frozen=True, slots=True)
class Measured:
    """A number with its 95 % interval by dive.

    Both ends are the number itself where no interval can be told, as of one dive.
    """

    value: float
    low: float
    high: float

    def interval_in_words(self) -> str:
        """Return the interval with three digits, or that there is none."""
        return interval_in_words(self.low, self.high)


@dataclass(frozen=True, slots=True)
class MethodScore:
    """How one way of ranking does on the judged images.

    Attributes:
        name: "model", "prior" or "time-copy".
        map_at_20: Mean AP@20 over images, by the ranking that is shown.
        map_at_20_by_dive: Mean over dives of each dive's mean.
        macro_ap: Mean over categories that occur of the average precision over images.
    """

    name: str
    map_at_20: Measured
    map_at_20_by_dive: Measured
    macro_ap: float


@dataclass(frozen=True, slots=True)
class CategoryScore:
    """How one category does.

    Attributes:
        id: FathomNet's number.
        name: The concept's name.
        supercategory: Its coarse group.
        ap: Average precision over the judged images; NaN where none holds it.
        prior_ap: What a constant score gets: its share of the judged images.
        n_images: Judged images that hold it.
        n_dives: Dives that they come from.
        train_images: Training images that held it, `None` if unknown.
        train_dives: Dives that they came from, `None` if unknown.
        validation_ap: AP on the bundle's validation part, `None` if unknown.
    """

    id: int
    name: str
    supercategory: str
    ap: float
    prior_ap: float
    n_images: int
    n_dives: int
    train_images: int | None
    train_dives: int | None
    validation_ap: float | None = None


@dataclass(frozen=True, slots=True)
class GroupScore:
    """Mean average precision of some categories.

    Attributes:
        name: A supercategory, or "head", "middle", "tail".
        n_categories: How many of its categories occur in the judged images.
        n_images: Judged images that hold one.
        mean_ap: Mean of their average precisions.
        any_ap: Average precision of "one of them is there", scored by the largest probability.
    """

    name: str
    n_categories: int
    n_images: int
    mean_ap: float
    any_ap: float


@dataclass(frozen=True, slots=True)
class NoveltyScore:
    """How well novelty finds images with a category that training never saw.

    Attributes:
        n_novel: Judged images that hold one.
        auc: Area under the ROC curve.
        scaled_auc: 2 x AUC - 1.
        competition_score: (MAP@20 + scaled AUC) / 2.
    """

    n_novel: int
    auc: float
    scaled_auc: float
    competition_score: float


@dataclass(frozen=True, slots=True)
class EvaluatedImage(OfADive):
    """One judged image, for the report.

    Attributes:
        image_id: Its name.
        path: Its file.
        dive: Its dive, "" if unknown.
        true_ids: What is in it.
        ranked_ids: The guesses, best first.
        probabilities: Of the guesses.
        average_precision: AP@20; NaN where nothing is true.
        failure: Why it could not be used, or `None`.
        novelty_percentile: Share of validation images that are less far out, NaN if unknown.
        label: The finest thing that could be said of it, "" for nothing.
        is_outside: Whether `path` is a file outside the data set, named by the predictions alone:
            no page opens it.
    """

    image_id: str
    path: str
    dive: str
    true_ids: tuple[int, ...]
    ranked_ids: tuple[int, ...]
    probabilities: tuple[float, ...]
    average_precision: float
    failure: str | None
    novelty_percentile: float = float("nan")
    label: str = ""
    is_outside: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class AncestorScore:
    """The score where a guess above or below a true category is neither right nor wrong.

    Attributes:
        n_pairs: Pairs of categories of which one stands above the other.
        n_images: Judged images with a true category that has an unlabelled one above or below it.
        map_at_20: Of the predictions.
        prior: MAP@20 of class frequency by the same rule.
    """

    n_pairs: int
    n_images: int
    map_at_20: Measured
    prior: float

    def in_words(self) -> str:
        """Return the score and its rule in one sentence."""
        if not self.n_pairs:
            return "no category stands above another in the tree of names: nothing to pass over"
        score = self.map_at_20
        return (
            f"MAP@20 {score.value:.4f} ({score.interval_in_words()}), class frequency "
            f"{self.prior:.4f}, where a guess above or below a true category in the tree of names "
            f"is passed over ({self.n_pairs:,} such pairs, in {self.n_images:,} images)"
        )


@dataclass(frozen=True, repr=False)
class Evaluation(ShortRepr):
    """What is known of predictions after comparing them with the truth.

    Attributes:
        model: The predictions' scores.
        prior: Those of class frequency on the same images.
        time_copy: Those of the nearest training frame's labels; `None` without a training part.
        gain: Mean of model minus prior over images, paired by dive.
        prior_source: Where the frequencies come from, in words.
        n_images: Judged images that hold a category.
        n_dives: Their dives.
        n_empty: Images without any true category, left out.
        n_failed: Judged images that could not be read; each counts 0.
        categories: In column order.
        supercategories: In order of name.
        thirds: Head, middle and tail by training frequency; empty where that is unknown.
        at_half: Precision, recall and accuracy at probability 0.5.
        leakage: How near training frames are; `None` without a training part.
        rankings: MAP@20 by the network's own ranking, by calibrated probability, and as shown.
        answers: How often the one answer was right, by its word; empty in a file without.
        novelty: `None` where no judged image holds an untrained category, or all do.
        uncertainty: Novelty, calibration, thresholds, sets and rollup; `None` where no image
            was read.
        images: Every judged image.
        notices: What a reader should know, in sentences.
        metadata: The predictions' provenance.
        ancestors: MAP@20 with guesses passed over that stand above or below a true category;
            `None` unless asked for.

    Example:
        >>> found = finding_nemo.evaluate("dive.parquet", dataset)  # doctest: +SKIP
        >>> found.model.map_at_20.value, found.gain.low  # doctest: +SKIP
        >>> Path("figures.json").write_text(found.to_json())  # doctest: +SKIP
    """

    model: MethodScore
    prior: MethodScore
    time_copy: MethodScore | None
    gain: Measured
    prior_source: str
    n_images: int
    n_dives: int
    n_empty: int
    n_failed: int
    categories: tuple[CategoryScore, ...]
    supercategories: tuple[GroupScore, ...]
    thirds: tuple[GroupScore, ...]
    at_half: ThresholdScores
    leakage: Leakage | None
    rankings: RankingScores
    answers: tuple[AnswerScore, ...]
    novelty: NoveltyScore | None
    uncertainty: UncertaintyResults | None
    images: tuple[EvaluatedImage, ...]
    notices: tuple[str, ...]
    metadata: dict[str, Any]
    ancestors: AncestorScore | None = None

    def facts(self) -> Mapping[str, object]:
        """Return the scores that come first."""
        score = self.model.map_at_20
        return {
            "images": self.n_images,
            "dives": self.n_dives,
            "map_at_20": f"{score.value:.4f} ({score.interval_in_words()})",
            "class_frequency": f"{self.prior.map_at_20.value:.4f}",
            "macro_ap": f"{self.model.macro_ap:.4f}",
        }

    def to_json(self) -> str:
        """Return the figures as JSON; what is not a number is null."""
        return json.dumps(_without_nan(self._figures()), indent=2, ensure_ascii=False) + "\n"

    def _figures(self) -> dict[str, Any]:
        copied = self.time_copy
        by_dive = self.model.map_at_20_by_dive
        return {
            "map_at_20": self.model.map_at_20.value,
            "map_at_20_ci": [self.model.map_at_20.low, self.model.map_at_20.high],
            "map_at_20_by_ranking": asdict(self.rankings),
            "map_at_20_ancestors_ignored": asdict(self.ancestors) if self.ancestors else None,
            "map_at_20_by_dive": by_dive.value,
            "map_at_20_by_dive_ci": [by_dive.low, by_dive.high],
            "macro_ap": self.model.macro_ap,
            "n_images": self.n_images,
            "n_dives": self.n_dives,
            "n_images_without_category": self.n_empty,
            "n_failed": self.n_failed,
            "baseline_prior_map_at_20": self.prior.map_at_20.value,
            "baseline_prior_map_at_20_ci": [self.prior.map_at_20.low, self.prior.map_at_20.high],
            "baseline_prior_macro_ap": self.prior.macro_ap,
            "baseline_prior_source": self.prior_source,
            "baseline_time_copy_map_at_20": copied.map_at_20.value if copied else None,
            "gain_over_prior": self.gain.value,
            "gain_over_prior_ci": [self.gain.low, self.gain.high],
            "at_threshold": asdict(self.at_half),
            "leakage": asdict(self.leakage) if self.leakage else None,
            "answers": [asdict(score) for score in self.answers],
            "novelty": asdict(self.novelty) if self.novelty else None,
            "trust": asdict(self.uncertainty) if self.uncertainty else None,
            "supercategories": [asdict(group) for group in self.supercategories],
            "thirds": [asdict(group) for group in self.thirds],
            "categories": [asdict(category) for category in self.categories],
            "notices": list(self.notices),
        }


def _without_nan(value: Any) -> Any:  # noqa: ANN401 - JSON values are of any type
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, dict):
        return {key: _without_nan(entry) for key, entry in value.items()}
    if isinstance(value, list | tuple):
        return [_without_nan(entry) for entry in value]
    return value
