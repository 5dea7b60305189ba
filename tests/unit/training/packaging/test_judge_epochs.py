"""What an epoch is judged by: how many training images, and the rankings of a bundle of it."""

from __future__ import annotations

import numpy as np
import pytest

from finding_nemo.core.records import Dataset, ImageRecord, Split
from finding_nemo.core.reporter import Reporter
from finding_nemo.metrics.ranking import map_at_k
from finding_nemo.training.examples.array_cache import CachedRows
from finding_nemo.training.examples.cached_inputs import CachedInputs
from finding_nemo.training.examples.partition import (
    Partition,
    category_evidence,
    make_partition,
)
from finding_nemo.training.packaging.fit_uncertainty import frequency_of
from finding_nemo.training.packaging.judge_epochs import (
    n_sampled,
    rankings_judge,
    sample_training_part,
)
from finding_nemo.uncertainty.calibration import ValidationView, fit_calibration
from finding_nemo.uncertainty.opinion_pool import fit_opinion_pool


@pytest.mark.parametrize(
    ("n_images", "expected"),
    [(30, 30), (200, 200), (900, 200), (4000, 500), (16_000, 2000), (10**6, 2000)],
)
def test_sample__is_one_in_eight_within_limits(n_images: int, expected: int) -> None:
    assert n_sampled(n_images) == expected


@pytest.fixture(scope="module")
def partition(dataset: Dataset, split: Split) -> Partition:
    """Parts of the tiny data set."""
    return make_partition(dataset, split, fold=None, seed=0, reporter=Reporter())


def _inputs(records: tuple[ImageRecord, ...]) -> CachedInputs:
    """Return one number a record, its position."""
    shard = np.arange(len(records), dtype=np.float32)[:, np.newaxis]
    places = np.stack([np.zeros(len(records)), np.arange(len(records))], axis=1).astype(np.int64)
    return CachedInputs(records, CachedRows((shard,), places), ())


def test_sample__has_rows_with_their_own_truth(partition: Partition) -> None:
    many = tuple(partition.train[k % len(partition.train)] for k in range(900))
    sample = sample_training_part(_inputs(many), partition)
    assert len(sample) == 200
    chosen = sample.rows.take(np.arange(200))[:, 0].astype(int)
    assert len(set(chosen.tolist())) == 200
    expected = partition.dataset.truth([many[row] for row in chosen])
    np.testing.assert_array_equal(sample.truth > 0, expected)
    again = sample_training_part(_inputs(many), partition)
    np.testing.assert_array_equal(again.rows.locations, sample.rows.locations)


def test_judge__scores_as_a_bundle_of_that_epoch_would_rank(partition: Partition) -> None:
    train, val = _inputs(partition.train), _inputs(partition.val)
    truth = partition.dataset.truth(partition.val)
    outputs = np.random.default_rng(2).normal(0, 2, truth.shape).astype(np.float32)
    outputs += 3 * truth
    found = rankings_judge(train, val, partition, activation="sigmoid")(outputs)
    frequency = frequency_of(category_evidence(partition), len(partition.train))
    view = ValidationView(outputs, truth, ())
    calibration = fit_calibration(view, method="frequency", frequency=frequency)
    assert found.calibrated == map_at_k(truth, calibration(outputs))
    assert found.shown == map_at_k(truth, fit_opinion_pool(view, frequency)(outputs))


def test_judge__without_truth_knows_nothing(partition: Partition) -> None:
    judge = rankings_judge(_inputs(partition.train), _inputs(()), partition, activation="sigmoid")
    assert judge(np.empty((0, 0), dtype=np.float32)).cells() == ("not known",) * 3
