"""Novelty points the right way."""

from __future__ import annotations

import numpy as np
import pytest

from finding_nemo.core.errors import PredictionsError
from finding_nemo.scoring.novelty.logit_scores import max_probability_novelty


def test_max_probability__an_unsure_image_is_further_out() -> None:
    probabilities = np.array([[0.9, 0.1], [0.4, 0.3]])
    assert max_probability_novelty(probabilities).tolist() == pytest.approx([0.1, 0.6])


def test_max_probability__says_what_is_wrong() -> None:
    with pytest.raises(PredictionsError, match=r"got shape \(2,\)"):
        max_probability_novelty(np.zeros(2))
    with pytest.raises(PredictionsError, match="first bad row: 0"):
        max_probability_novelty(np.array([[np.nan, 0.5]]))
