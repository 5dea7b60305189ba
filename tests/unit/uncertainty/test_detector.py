"""Novelty points the right way, and each score is what its definition says."""

from __future__ import annotations

import math
import statistics
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from safetensors.numpy import load_file, save_file

from finding_nemo.core.errors import PredictionsError
from finding_nemo.uncertainty.ood.bagged_heads import disagreement_novelty, fit_heads
from finding_nemo.uncertainty.ood.detector import (
    NoveltyDetector,
    TrainingView,
    detector_from_tensors,
    detector_tensors,
    fit_detector,
)
from finding_nemo.uncertainty.ood.feature_scores import (
    fit_centres,
    fit_space,
    neighbour_novelty,
    unit_rows,
    vim_novelty,
    vim_scale,
)
from finding_nemo.uncertainty.ood.logit_scores import (
    entropy_novelty,
    joint_energy_novelty,
    log_sum_exp,
    max_logit_novelty,
    max_probability_novelty,
)
from finding_nemo.uncertainty.ood.percentiles import (
    novelty_percentile,
    reference_quantiles,
    standing,
)


def test_max_probability__an_unsure_image_is_further_out() -> None:
    probabilities = np.array([[0.9, 0.1], [0.4, 0.3]])
    assert max_probability_novelty(probabilities).tolist() == pytest.approx([0.1, 0.6])


def test_max_probability__says_what_is_wrong() -> None:
    with pytest.raises(PredictionsError, match=r"got shape \(2,\)"):
        max_probability_novelty(np.zeros(2))
    with pytest.raises(PredictionsError, match="first bad row: 0"):
        max_probability_novelty(np.array([[np.nan, 0.5]]))


def _cases() -> tuple[np.ndarray, np.ndarray]:
    generator = np.random.default_rng(0)
    return generator.normal(0, 3, (40, 7)), generator.normal(0, 1, (40, 12))


def test_logit_scores__equal_their_definitions_written_out() -> None:
    logits, _ = _cases()
    for row, found in zip(logits, joint_energy_novelty(logits), strict=True):
        assert found == pytest.approx(-sum(math.log(1 + math.exp(x)) for x in row), abs=1e-9)
    for row, found in zip(logits, max_logit_novelty(logits), strict=True):
        assert found == -max(row)
    for row, found in zip(logits, log_sum_exp(logits), strict=True):
        assert found == pytest.approx(math.log(sum(math.exp(x) for x in row)), abs=1e-9)
    for row, found in zip(logits, entropy_novelty(logits), strict=True):
        p = [1 / (1 + math.exp(-x)) for x in row]
        slow = -sum(q * math.log(q) + (1 - q) * math.log(1 - q) for q in p)
        assert found == pytest.approx(slow, abs=1e-9)


def test_logit_scores__by_hand() -> None:
    undecided = np.zeros((1, 2))
    assert joint_energy_novelty(undecided)[0] == pytest.approx(-2 * math.log(2))
    assert entropy_novelty(undecided)[0] == pytest.approx(2 * math.log(2))
    assert log_sum_exp(undecided)[0] == pytest.approx(math.log(2))
    assert max_logit_novelty(np.array([[3.0, -1.0]]))[0] == -3
    # No overflow where a network is sure.
    assert entropy_novelty(np.array([[1000.0, -1000.0]]))[0] == pytest.approx(0)
    assert joint_energy_novelty(np.array([[1000.0]]))[0] == -1000


@pytest.mark.parametrize(
    "score", [joint_energy_novelty, max_logit_novelty, entropy_novelty, log_sum_exp]
)
def test_logit_scores__refuse_other_shapes_and_nan(
    score: Callable[[np.ndarray], np.ndarray],
) -> None:
    with pytest.raises(PredictionsError, match=r"logits must be \(images, categories\)"):
        score(np.zeros(3))
    with pytest.raises(PredictionsError, match="first bad row: 1"):
        score(np.array([[0.0], [np.nan]]))
    assert score(np.zeros((5, 3))).shape == (5,)


def test_an_image_with_a_known_animal__is_less_novel() -> None:
    known, unknown = np.array([[4.0, -3.0]]), np.array([[-3.0, -3.0]])
    for score in (joint_energy_novelty, max_logit_novelty):
        assert score(known)[0] < score(unknown)[0]


def test_feature_space__equals_a_slow_projection() -> None:
    _, features = _cases()
    space = fit_space(features, n_axes=5)
    inside, left = space.project(features)
    standard = (features - features.mean(axis=0)) / features.std(axis=0)
    _, singular, axes = np.linalg.svd(standard, full_matrices=False)
    np.testing.assert_allclose(space.variances, singular[:5] ** 2 / 40, atol=1e-9)
    np.testing.assert_allclose(np.abs(inside), np.abs(standard @ axes[:5].T), atol=1e-8)
    rest = standard - standard @ axes[:5].T @ axes[:5]
    np.testing.assert_allclose(left, np.linalg.norm(rest, axis=1), atol=1e-8)


def test_neighbours__equal_all_distances_sorted() -> None:
    _, features = _cases()
    units = features / np.linalg.norm(features, axis=1, keepdims=True)
    queries = features[:6] + 0.1
    found = neighbour_novelty(queries, unit_rows(features), k=3)
    for query, distance in zip(queries, found, strict=True):
        unit = query / math.sqrt(sum(value * value for value in query))
        slow = sorted(
            math.sqrt(sum((a - b) ** 2 for a, b in zip(unit, u, strict=True))) for u in units
        )
        assert distance == pytest.approx(slow[2], abs=1e-9)


def test_neighbours__by_hand() -> None:
    train = np.array([[1.0, 0.0], [0.0, 1.0]])
    # The opposite direction is 2 away, a right angle the square root of 2.
    assert neighbour_novelty(np.array([[-5.0, 0.0]]), train, k=2)[0] == pytest.approx(2)
    assert neighbour_novelty(np.array([[3.0, 0.0]]), train, k=1)[0] == pytest.approx(0)
    assert neighbour_novelty(np.array([[3.0, 0.0]]), train, k=9)[0] == pytest.approx(math.sqrt(2))


def test_mahalanobis__equals_a_slow_version() -> None:
    _, white = _cases()
    truth = np.random.default_rng(1).random((40, 3)) < 0.5
    centres = fit_centres(white, truth, least_images=1, shrinkage=0.2)
    nearest, relative = centres.distances(white[:8])
    means = np.array([white[truth[:, c]].mean(axis=0) for c in range(3)])
    beside = np.array(
        [
            x - (means[held].mean(axis=0) if held.any() else 0)
            for x, held in zip(white, truth, strict=True)
        ]
    )
    spread = sum(np.outer(x, x) for x in beside) / 40
    mixed = 0.8 * spread + 0.2 * np.eye(12) * np.trace(spread) / 12
    inverse = np.linalg.inv(mixed)
    for x, near, less in zip(white[:8], nearest, relative, strict=True):
        slow = min(float((x - mean) @ inverse @ (x - mean)) for mean in means)
        assert near == pytest.approx(slow, abs=1e-9)
        assert less == pytest.approx(slow - float(x @ x), abs=1e-9)


def test_vim__is_the_scaled_rest_less_the_energy() -> None:
    logits = np.zeros((2, 2))
    found = vim_novelty(np.array([1.0, 3.0]), logits, scale=2.0)
    np.testing.assert_allclose(found, [2 - math.log(2), 6 - math.log(2)])
    # Largest logits 1 and 3, mean 2; lengths 4 and 4.
    assert vim_scale(np.array([4.0, 4.0]), np.array([[1.0, 0.0], [3.0, 0.0]])) == 0.5


def test_disagreement__is_the_spread_of_the_heads() -> None:
    heads = np.array([[[1.0], [0.0]], [[3.0], [0.0]]])  # two heads: x and 3 x
    np.testing.assert_allclose(disagreement_novelty(np.array([[2.0]]), heads), [2.0])
    _, white = _cases()
    truth = np.random.default_rng(1).random((40, 3)) < 0.5
    dives = [str(row % 6) for row in range(40)]
    fitted = fit_heads(white, truth, dives, n_heads=3)
    said = [[[*x, 1.0] @ head for head in fitted] for x in white[:5]]
    slow = [np.mean([statistics.pstdev(column) for column in np.array(one).T]) for one in said]
    np.testing.assert_allclose(disagreement_novelty(white[:5], fitted), slow, atol=1e-9)


def test_reference__shares_and_beyond() -> None:
    quantiles = reference_quantiles(np.arange(101.0))
    assert novelty_percentile(np.array([97.0, -5.0, 500.0]), quantiles).tolist() == [0.97, 0.0, 1.0]
    far, further = standing(np.array([200.0, 300.0]), quantiles)
    assert 1 < far < further
    assert standing(np.array([97.0]), quantiles)[0] == pytest.approx(0.97)
    # Equal quantiles stand at the middle of their shares.
    flat = reference_quantiles(np.ones(5))
    assert novelty_percentile(np.array([1.0]), flat)[0] == pytest.approx(0.5)
    with pytest.raises(PredictionsError, match="got none"):
        reference_quantiles(np.empty(0))


def _fitted() -> tuple[NoveltyDetector, np.ndarray, np.ndarray]:
    logits, features = _cases()
    truth = logits > 1
    view = TrainingView(features, logits, truth, [str(row % 5) for row in range(40)])
    return fit_detector(view, val_logits=logits, val_features=features), logits, features


def test_detector__survives_its_file_and_is_higher_further_out(tmp_path: Path) -> None:
    detector, logits, features = _fitted()
    assert detector.names[-1] == "combined"
    assert detector.default == "vim"
    save_file(detector_tensors(detector), tmp_path / "n.safetensors")
    again = detector_from_tensors(load_file(tmp_path / "n.safetensors"))
    assert again is not None
    assert again.names == detector.names
    far = detector.scores(logits, 20 * features)
    for name, values in detector.scores(logits, features).items():
        assert values.shape == (40,)
        np.testing.assert_allclose(
            again.scores(logits, features)[name], values, rtol=2e-3, atol=2e-3
        )
        if name in ("vim", "mahalanobis", "combined"):
            assert (far[name] > values).mean() > 0.9
    with pytest.raises(PredictionsError, match="features must not be NaN; first bad row: 0"):
        detector.scores(logits[:1], np.full((1, 12), np.nan))


def test_detector__without_features_uses_logits_alone() -> None:
    logits, _ = _cases()
    detector = fit_detector(None, val_logits=logits, val_features=None)
    assert detector.default == "joint-energy"
    assert set(detector.scores(logits, None)) == set(detector.names)
    assert detector_from_tensors({"validation_quantiles": np.zeros(3)}) is None
