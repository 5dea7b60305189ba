"""A network's outputs into what is said of an image, and how far to trust it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from finding_nemo.core.arrays import AnyFloats, Bools
from finding_nemo.core.assessment import Answer, Assessment, GuessEvidence
from finding_nemo.core.errors import BundleError
from finding_nemo.models.bundle.bundle import Bundle
from finding_nemo.models.bundle.uncertainty_tensors import Uncertainty, calibrated, uncertainty_of
from finding_nemo.prediction.rank_answers import RankAnswers, Ranks, fit_rank_answers
from finding_nemo.uncertainty.answers import (
    AnswerBars,
    familiar_images,
    fit_answer_bars,
    give_answers,
)
from finding_nemo.uncertainty.calibration import ValidationView
from finding_nemo.uncertainty.conformal import fit_set_threshold
from finding_nemo.uncertainty.ood.logit_scores import max_probability_novelty
from finding_nemo.uncertainty.ood.percentiles import novelty_percentile
from finding_nemo.uncertainty.operating_points import OperatingPoint, fit_operating_points
from finding_nemo.uncertainty.rollup import roll_up

# A network that was hardly trained gives scores that its file cannot hold.
_FLOAT32 = (np.finfo(np.float32).min, np.finfo(np.float32).max)
PRECISION = 0.9
SET_RISK = 0.1
NOTHING = "nothing reaches the wanted precision"
NO_VALIDATION = "no validation images to choose thresholds on"
RANKED_BY = (
    "categories are ranked by sigmoid(offset + slope x logit) + weight x frequency, not by "
    "probability: the network's own opinion, and a little of class frequency"
)

# Named ids, candidate ids, what is said, its probability, why nothing finer.
Named = tuple[tuple[int, ...], tuple[int, ...], str, float, str]


@dataclass(frozen=True)
class Thresholds:
    """From where on categories and supercategories are named.

    Attributes:
        precision: The wanted one.
        categories: One a column.
        groups: The supercategories' names.
        supercategories: One a group.
        set_threshold: From where on a category is in the set; above 1 where none can be made.
        answer_bars: From where on an answer is sure or likely.
    """

    precision: float
    categories: tuple[OperatingPoint, ...]
    groups: tuple[str, ...]
    supercategories: tuple[OperatingPoint, ...]
    set_threshold: float
    answer_bars: AnswerBars


def choose_thresholds(
    uncertainty: Uncertainty,
    supercategories: Sequence[str],
    seen: npt.NDArray[np.bool_],
    *,
    precision: float,
) -> Thresholds | None:
    """Choose thresholds on the bundle's validation images; `None` where it has none.

    Sets are made for the categories that training has `seen`: no probability tells another one
    from its prior, so a set that should hold it as well would be the whole table.
    """
    view = uncertainty.validation
    if view is None or not view.truth.any():
        return None
    probabilities = calibrated(uncertainty, view.logits)
    groups, group_probabilities = roll_up(probabilities, supercategories)
    _, group_truth = roll_up(view.truth.astype(np.float64), supercategories, rule="max")
    return Thresholds(
        precision=precision,
        categories=fit_operating_points(view.truth, probabilities, view.dives, precision=precision),
        groups=groups,
        supercategories=fit_operating_points(
            group_truth > 0, group_probabilities, view.dives, precision=precision
        ),
        set_threshold=_set_threshold(view, probabilities, seen),
        answer_bars=fit_answer_bars(view, probabilities, supercategories),
    )


def _set_threshold(
    view: ValidationView, probabilities: AnyFloats, seen: npt.NDArray[np.bool_]
) -> float:
    held = view.truth & seen
    return fit_set_threshold(
        held if held.any() else view.truth, probabilities, view.dives, risk=SET_RISK
    )


class ImageAssessment(NamedTuple):
    """What is said of one image.

    Attributes:
        probabilities: Of each category, shape (categories,).
        novelty: By the score that is shown to people.
        assessment: How far to trust it.
        answer: The one answer.
        ranking_scores: What categories are ranked by, higher first; `None`: by probability.
    """

    probabilities: npt.NDArray[np.float32]
    novelty: float
    assessment: Assessment
    answer: Answer
    ranking_scores: npt.NDArray[np.float32] | None

    @property
    def order_scores(self) -> npt.NDArray[np.float32]:
        """What categories are ranked by, higher first, shape (categories,)."""
        return self.probabilities if self.ranking_scores is None else self.ranking_scores


class PostProcessor:
    """What a bundle says of network outputs.

    Attributes:
        notices: What the bundle lacks, and what is done instead.
        thresholds: From where on things are named, `None` where the bundle has no validation
            images.
    """

    def __init__(
        self, bundle: Bundle, *, precision: float = PRECISION, ranks: Ranks = False
    ) -> None:
        """Make ready.

        Args:
            bundle: The trained model.
            precision: Share of named categories that should be right.
            ranks: Whether the one answer climbs through the ranks of the tree of names, or of a
                table of taxa.

        Raises:
            BundleError: If what the bundle holds beside its network is not what belongs there.
            SettingsError: If `ranks` are wanted of names that are in no tree.
            PredictionsError: If `precision` is out of range.
        """
        self._bundle = bundle
        self._uncertainty = uncertainty_of(bundle)
        self._evidence = _evidence(bundle)
        self._ids = np.array(bundle.categories.ids)
        self.thresholds = choose_thresholds(
            self._uncertainty,
            bundle.categories.supercategories,
            self._evidence.n_images > 0,
            precision=precision,
        )
        self._rank_answers = _fit_ranks(bundle, self._uncertainty, ranks) if ranks else None
        self.notices = (*bundle.notices, *_what_is_missing(self._uncertainty, self.thresholds))

    @property
    def score_names(self) -> tuple[str, ...]:
        """The novelty scores of each reading, in order."""
        detector = self._uncertainty.detector
        return ("max-probability",) if detector is None else detector.names

    @property
    def default_score(self) -> str:
        """The novelty score that is shown to people."""
        detector = self._uncertainty.detector
        return "max-probability" if detector is None else detector.default

    @property
    def ranking(self) -> dict[str, Any] | None:
        """What categories are ranked by as plain values; `None` where it is probability."""
        pool = self._uncertainty.ranking
        if pool is None:
            return None
        values = {name: tensor.tolist() for name, tensor in pool.tensors().items()}
        return {"about": RANKED_BY, **values, "weight": pool.weight}

    @property
    def calibration(self) -> dict[str, Any] | None:
        """The calibration as plain values, for a file's metadata."""
        fitted = self._uncertainty.calibration
        if fitted is None:
            return None
        return {"offset": fitted.offset.tolist(), "slope": fitted.slope.tolist()}

    def read(
        self, outputs: AnyFloats, features: AnyFloats | None, brightness: Sequence[float]
    ) -> list[ImageAssessment]:
        """Return what is said of each image.

        Args:
            outputs: Of the network, shape (images, categories).
            features: Shape (images, features), where the network gives them.
            brightness: Mean pixel of each image in [0, 1].

        Raises:
            BundleError: If the network gives another number of outputs or features than the
                bundle's tables have, or NaN.
        """
        self._check_widths(outputs, features)
        raw = self._bundle.to_probabilities(outputs.astype(np.float32))
        logits = _logits(outputs, raw, self._bundle.manifest.activation)
        probabilities = (
            raw if self._uncertainty.calibration is None else calibrated(self._uncertainty, logits)
        )
        scores = self._scores(raw, logits, features)
        novelty = scores[:, self.score_names.index(self.default_score)]
        kept = np.clip(scores, *_FLOAT32).astype(np.float32)
        unusual = self._unusual(novelty)
        named = self._named(probabilities)
        pool = self._uncertainty.ranking
        ranking = None if pool is None else pool(logits).astype(np.float32)
        detector = self._uncertainty.detector
        familiar = None if detector is None else familiar_images(scores, detector)
        answers = self._answers(probabilities, familiar, ranking)
        return [
            ImageAssessment(
                probabilities[row].astype(np.float32),
                float(novelty[row]),
                Assessment(
                    self._evidence, float(unusual[row]), kept[row], *named[row], brightness[row]
                ),
                answers[row],
                None if ranking is None else ranking[row],
            )
            for row in range(len(outputs))
        ]

    def _answers(
        self, probabilities: AnyFloats, familiar: Bools | None, ranking: AnyFloats | None
    ) -> list[Answer]:
        categories = self._bundle.categories
        if self._rank_answers is not None:
            return self._rank_answers.give(
                probabilities, categories.names, familiar=familiar, ranking=ranking
            )
        return give_answers(
            probabilities,
            categories.names,
            categories.supercategories,
            bars=None if self.thresholds is None else self.thresholds.answer_bars,
            familiar=familiar,
            ranking=ranking,
        )

    def _check_widths(self, outputs: AnyFloats, features: AnyFloats | None) -> None:
        detector = self._uncertainty.detector
        fitted = None if detector is None else detector.by_features
        n_wanted = 0 if fitted is None else len(fitted.space.mean)
        n_features = 0 if features is None else features.shape[1]
        if outputs.shape[1] != len(self._ids) or (n_wanted and n_features != n_wanted):
            raise BundleError(
                f"The network of {self._bundle.path} gives {outputs.shape[1]} outputs and "
                f"{n_features} features; the bundle has {len(self._ids)} categories and novelty "
                f"of {n_wanted} features. Train or copy it again."
            )

        if np.isnan(outputs).any():
            raise BundleError(
                f"The network of {self._bundle.path} gives NaN for an image: its weights are "
                "damaged, or its training went astray. Train or copy it again."
            )

    def _scores(self, raw: AnyFloats, logits: AnyFloats, features: AnyFloats | None) -> AnyFloats:
        detector = self._uncertainty.detector
        if detector is None:
            return max_probability_novelty(raw)[:, np.newaxis]
        found = detector.scores(logits, features)
        return np.stack([found[name] for name in detector.names], axis=1)

    def _unusual(self, novelty: AnyFloats) -> AnyFloats:
        detector = self._uncertainty.detector
        if detector is None:
            return np.full(len(novelty), np.nan)
        return novelty_percentile(novelty.astype(np.float64), detector.quantiles[detector.default])

    def _named(self, probabilities: AnyFloats) -> list[Named]:
        limits = self.thresholds
        if limits is None:
            return [((), (), "", float("nan"), NO_VALIDATION)] * len(probabilities)
        bars = np.array([point.naming_threshold for point in limits.categories])
        group_bars = np.array([point.naming_threshold for point in limits.supercategories])
        _, group_probabilities = roll_up(probabilities, self._bundle.categories.supercategories)
        rows = []
        for row, group_row in zip(probabilities, group_probabilities, strict=True):
            order = np.argsort(-row, kind="stable")
            present = order[row[order] >= bars[order]]
            candidates = order[row[order] >= limits.set_threshold]
            rows.append(
                (
                    tuple(self._ids[present].tolist()),
                    tuple(self._ids[candidates].tolist()),
                    *self._finest(row, present, group_row, group_bars, limits),
                )
            )
        return rows

    def _finest(
        self,
        row: AnyFloats,
        present: npt.NDArray[np.int64],
        group_row: AnyFloats,
        group_bars: AnyFloats,
        limits: Thresholds,
    ) -> tuple[str, float, str]:
        """Return what is said, its probability, and why nothing finer."""
        if present.size:
            best = int(present[0])
            return self._bundle.categories.names[best], float(row[best]), "category"
        reached = np.flatnonzero(group_row >= group_bars)
        if reached.size:
            group = int(reached[np.argmax(group_row[reached])])
            why = "supercategory: none of its categories reaches the wanted precision"
            return limits.groups[group], float(group_row[group]), why
        return "", float("nan"), NOTHING


def _fit_ranks(bundle: Bundle, uncertainty: Uncertainty, ranks: Ranks) -> RankAnswers | None:
    """Return what answers by rank; `None` without validation images to choose bars on."""
    view, categories = uncertainty.validation, bundle.categories
    if view is None or not view.truth.any():
        return None
    return fit_rank_answers(
        view,
        calibrated(uncertainty, view.logits),
        categories.names,
        categories.supercategories,
        table=None if isinstance(ranks, bool) else ranks,
    )


def _logits(outputs: AnyFloats, raw: AnyFloats, activation: str) -> AnyFloats:
    if activation == "sigmoid":
        return outputs
    probabilities = np.clip(raw, 1e-6, 1 - 1e-6)
    return np.asarray(np.log(probabilities / (1 - probabilities)))


def _evidence(bundle: Bundle) -> GuessEvidence:
    entries = bundle.manifest.categories
    nan = float("nan")
    return GuessEvidence(
        n_images=np.array([entry.n_images for entry in entries], dtype=np.int32),
        n_dives=np.array([entry.n_dives for entry in entries], dtype=np.int32),
        validation_ap=np.array(
            [nan if entry.validation_ap is None else entry.validation_ap for entry in entries],
            dtype=np.float32,
        ),
    )


def _what_is_missing(uncertainty: Uncertainty, thresholds: Thresholds | None) -> tuple[str, ...]:
    notices = []
    if uncertainty.detector is None:
        notices.append("novelty is one minus the largest probability: the bundle holds no other.")
    elif uncertainty.detector.by_features is None:
        notices.append("novelty is from logits alone: the bundle's network gives no features.")
    if uncertainty.calibration is None:
        notices.append("probabilities are not calibrated: the bundle holds no calibration.")
    if thresholds is None:
        notices.append("nothing is named: the bundle holds no validation images.")
    return tuple(notices)


def brightness_of(pixels: npt.NDArray[np.uint8]) -> float:
    """Return the mean of an image's pixels, uint8 (height, width, 3), in [0, 1]."""
    return float(pixels.mean(dtype=np.float64)) / 255
