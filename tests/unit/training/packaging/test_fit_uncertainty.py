"""What is said where a network's logits cannot be made probabilities."""

from __future__ import annotations

import numpy as np
import pytest

from finding_nemo.core.arrays import Ints
from finding_nemo.core.records import Dataset, Split
from finding_nemo.core.reporter import Reporter
from finding_nemo.metrics.ranking import map_at_k
from finding_nemo.models.inference.pixel_network import NetworkOutput
from finding_nemo.training.examples.array_cache import CachedRows
from finding_nemo.training.examples.cached_inputs import CachedInputs
from finding_nemo.training.examples.partition import category_evidence, make_partition
from finding_nemo.training.packaging.fit_uncertainty import fit_uncertainty


class _Warnings(Reporter):
    def __init__(self) -> None:
        super().__init__()
        self.warnings: list[str] = []

    def warning(self, words: str) -> None:
        self.warnings.append(words)


@pytest.mark.parametrize("offset", [0.0, 5000.0])
def test_lost_ranking__is_warned_of(dataset: Dataset, split: Split, offset: float) -> None:
    partition = make_partition(dataset, split, fold=None, seed=0, reporter=Reporter())
    truth = dataset.truth(partition.val)
    # Each frame has its true categories first; whole frames are as high or low as it happens.
    rng = np.random.default_rng(0)
    logits = 4.0 * truth - 2.0 + rng.normal(0, 0.1, truth.shape)
    logits = (logits + rng.choice([-offset, offset], (len(truth), 1))).astype(np.float32)
    assert map_at_k(truth, logits, empty="skip") == 1.0
    no_rows = CachedRows((), np.empty((0, 2), np.int64))

    def infer(stored: CachedRows, rows: Ints) -> NetworkOutput:
        raise AssertionError("there are no features to ask for")

    reporter = _Warnings()
    found = fit_uncertainty(
        CachedInputs(partition.train, no_rows, ()),
        CachedInputs(partition.val, no_rows, ()),
        NetworkOutput(logits, None),
        truths=(dataset.truth(partition.train), truth),
        evidence=category_evidence(partition),
        activation="sigmoid",
        infer=infer,
        reporter=reporter,
    )
    assert found.ranking is not None
    if offset == 0:
        assert reporter.warnings == []
    else:
        shown = map_at_k(truth, found.ranking(logits), empty="skip")
        assert shown < 0.95
        (warning,) = reporter.warnings
        assert f"MAP@20 {shown:.4f} in place of 1.0000 on validation images" in warning
        assert "Its logits, up to 5,00" in warning
