"""What the baselines that open no image score on random splits, and on splits by dive."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from finding_nemo.core.records import Dataset, ImageRecord
from finding_nemo.data.splits.splitters.by_dive import split_by_dive
from finding_nemo.data.splits.splitters.by_frame import split_at_random
from finding_nemo.metrics.baselines import frame_key, prior_scores, time_copy_scores
from finding_nemo.metrics.bootstrap import dive_bootstrap_interval, mean_over_dives
from finding_nemo.metrics.leakage import measure_leakage
from finding_nemo.metrics.ranking import average_precision_at_k

N_SPLITS = 5
_FRACTION = 0.2
_Records = Sequence[ImageRecord]


@dataclass(frozen=True, slots=True)
class BaselineScore:
    """A baseline's scores, means over the splits of one protocol.

    Attributes:
        map_at_20: Mean over test images.
        lowest: Of the splits.
        highest: Of the splits.
        interval_width: Of the 95 % interval by dive within one split.
        by_dive: MAP@20 when each dive counts once.
    """

    map_at_20: float
    lowest: float
    highest: float
    interval_width: float
    by_dive: float


@dataclass(frozen=True, slots=True)
class Protocol:
    """One way to split 80/20, five times.

    Attributes:
        name: "random" or "dive".
        about: What the five splits are.
        prior: Class frequency.
        time_copy: Labels of the nearest training frame of the dive.
        same_dive: Share of test frames with a training frame of their dive.
        within_10_s: With one at most 10 s away; NaN without times.
    """

    name: str
    about: str
    prior: BaselineScore
    time_copy: BaselineScore
    same_dive: float
    within_10_s: float


def compare_protocols(dataset: Dataset) -> tuple[Protocol, ...]:
    """Score the baselines on five random 80/20 splits, and on five by dive if dives allow.

    The five by dive are disjoint, so that every dive is judged once: a few large dives decide
    such scores, and splits that drew them anew could miss them.
    """
    found = [
        _protocol("random", "five random 80/20 splits, seeds 0 to 4", dataset, _random(dataset))
    ]
    dives = {record.dive for record in dataset.annotated}
    if None not in dives and len(dives) >= N_SPLITS:
        about = "five 80/20 splits by dive, each dive tested once"
        found.append(_protocol("dive", about, dataset, _by_dive(dataset)))
    return tuple(found)


def _random(dataset: Dataset) -> Iterator[tuple[_Records, _Records]]:
    for seed in range(N_SPLITS):
        split = split_at_random(dataset, fraction=_FRACTION, val_fraction=0.0, seed=seed)
        yield _records(dataset, split.ids_in("train")), _records(dataset, split.ids_in("test"))


def _by_dive(dataset: Dataset) -> Iterator[tuple[_Records, _Records]]:
    split = split_by_dive(dataset, folds=N_SPLITS)
    for fold in (f"fold{number}" for number in range(N_SPLITS)):
        training = _records(dataset, split.training_ids_for(fold))
        yield training, _records(dataset, split.ids_in(fold))


def _records(dataset: Dataset, ids: Sequence[str]) -> _Records:
    return [dataset.by_id[image_id] for image_id in ids]


def _protocol(
    name: str, about: str, dataset: Dataset, splits: Iterator[tuple[_Records, _Records]]
) -> Protocol:
    priors, copies, leaks = [], [], []
    for train, test in splits:
        train_truth, truth = dataset.truth(train), dataset.truth(test)
        train_keys = [frame_key(record) for record in train]
        keys = [frame_key(record) for record in test]
        dives = [record.dive_or_own for record in test]
        prior = np.tile(prior_scores(train_truth), (len(test), 1))
        priors.append(_measured(truth, prior, dives))
        copies.append(_measured(truth, time_copy_scores(train_keys, train_truth, keys), dives))
        leak = measure_leakage(train_keys, keys)
        leaks.append((leak.same_dive, leak.within_10_s))
    same_dive, within_10_s = np.mean(leaks, axis=0).tolist()
    return Protocol(name, about, _mean(priors), _mean(copies), same_dive, within_10_s)


def _measured(
    truth: npt.NDArray[np.bool_], scores: npt.NDArray[np.float64], dives: Sequence[str]
) -> tuple[float, float, float]:
    if not truth.any():
        return float("nan"), float("nan"), float("nan")
    per_image = average_precision_at_k(truth, scores)
    interval = dive_bootstrap_interval(per_image, dives)
    width = interval.high - interval.low
    return float(np.nanmean(per_image)), width, mean_over_dives(per_image, dives)


def _mean(measured: Sequence[tuple[float, float, float]]) -> BaselineScore:
    # A test part in which nothing is true has no score.
    measured = [found for found in measured if not np.isnan(found[0])] or [measured[0]]
    values = [value for value, _, _ in measured]
    value, width, by_dive = np.mean(measured, axis=0).tolist()
    return BaselineScore(value, min(values), max(values), width, by_dive)
