"""The table of novelty scores: each is fitted, scored, stored and checked as its row says."""

from __future__ import annotations

import numpy as np
import pytest

from finding_nemo.models.bundle.uncertainty_check import check_uncertainty_tensors
from finding_nemo.uncertainty.ood.detector import (
    COMBINED_OF,
    COMBINED_OF_LOGITS,
    DEFAULT,
    DEFAULT_OF_LOGITS,
    TrainingView,
    detector_from_tensors,
    detector_tensors,
    fit_detector,
)
from finding_nemo.uncertainty.ood.novelty_scores import (
    COMBINED,
    FEATURE_SCORES,
    LOGIT_SCORES,
    NOVELTY_SCORES,
    ORDER,
)

_RNG = np.random.default_rng(4)
_LOGITS, _FEATURES = _RNG.normal(0, 3, (60, 5)), _RNG.normal(size=(60, 10))
_DETECTOR = fit_detector(
    TrainingView(_FEATURES, _LOGITS, _LOGITS > 1, [str(row % 6) for row in range(60)]),
    val_logits=_LOGITS,
    val_features=_FEATURES,
)


def test_order__is_that_of_the_table_and_all_are_there() -> None:
    assert _DETECTOR.names == ORDER == (*LOGIT_SCORES, *FEATURE_SCORES, COMBINED)
    assert {DEFAULT, *COMBINED_OF} <= set(NOVELTY_SCORES)
    assert {DEFAULT_OF_LOGITS, *COMBINED_OF_LOGITS} <= set(LOGIT_SCORES)


@pytest.mark.parametrize("name", NOVELTY_SCORES)
def test_score__is_one_finite_number_an_image_alone_or_among_others(name: str) -> None:
    values = _DETECTOR.scores(_LOGITS, _FEATURES)[name]
    assert values.shape == (60,)
    assert np.isfinite(values).all()
    assert len(set(values.tolist())) > 40  # two images may be each other's neighbours
    alone = [_DETECTOR.scores(_LOGITS[[i]], _FEATURES[[i]])[name][0] for i in range(5)]
    np.testing.assert_allclose(alone, values[:5], rtol=1e-9)
    assert NOVELTY_SCORES[name].about


@pytest.mark.parametrize("name", FEATURE_SCORES)
def test_score_of_features__keeps_the_tensors_that_its_row_names(name: str) -> None:
    tensors = detector_tensors(_DETECTOR)
    check_uncertainty_tensors(tensors, n_categories=5)
    for tensor, letters in NOVELTY_SCORES[name].tensors.items():
        assert tensors[f"novelty.{tensor}"].ndim == len(letters)


@pytest.mark.parametrize("name", sorted(set(FEATURE_SCORES) - {DEFAULT, *COMBINED_OF}))
def test_bundle__that_is_older_than_a_score_does_without_it(name: str) -> None:
    tensors = detector_tensors(_DETECTOR)
    others = [each.tensors for other, each in NOVELTY_SCORES.items() if other != name]
    needed = {f"novelty.{tensor}" for kept in others for tensor in kept}
    own = {f"novelty.{tensor}" for tensor in NOVELTY_SCORES[name].tensors}
    gone = {f"novelty.quantiles.{name}", *(own - needed)}
    older = {tensor: values for tensor, values in tensors.items() if tensor not in gone}
    check_uncertainty_tensors(older, n_categories=5)
    detector = detector_from_tensors(older)
    assert detector is not None
    assert set(detector.scores(_LOGITS, _FEATURES)) == set(ORDER) - {name}
