"""Likely errors and the order of doubt: by hand, and one label at a time."""

from __future__ import annotations

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from finding_nemo.evaluation.label_errors.confident_learning import (
    likely_errors,
    order_of_doubt,
)


def test_likely_errors__by_hand() -> None:
    labels = np.array([[1], [1], [1], [0], [0], [0]], dtype=np.bool_)
    probabilities = np.array([[0.9], [0.9], [0.0], [0.1], [0.1], [0.9]])
    # Given: mean 0.6; not given: mean absence (0.9 + 0.9 + 0.1) / 3 = 0.63.
    assert likely_errors(probabilities, labels)[:, 0].tolist() == [
        False, False, True, False, False, True,
    ]  # fmt: skip


def test_likely_errors__none_of_a_category_that_all_or_no_frames_have() -> None:
    labels = np.array([[True, False], [True, False]])
    assert not likely_errors(np.full((2, 2), 0.5), labels).any()


@settings(max_examples=50, deadline=None)
@given(st.integers(0, 10_000))
def test_likely_errors__one_label_at_a_time(seed: int) -> None:
    rng = np.random.default_rng(seed)
    labels = rng.random((12, 3)) < 0.4
    probabilities = rng.integers(0, 5, (12, 3)) / 4
    found = likely_errors(probabilities, labels)
    for column in range(3):
        own = [bool(x) for x in labels[:, column]]
        present = [p for p, y in zip(probabilities[:, column], own, strict=True) if y]
        absent = [1 - p for p, y in zip(probabilities[:, column], own, strict=True) if not y]
        for row in range(12):
            p = probabilities[row, column]
            wanted = False
            if present and absent:
                as_present = p >= sum(present) / len(present)
                as_absent = 1 - p >= sum(absent) / len(absent)
                wanted = as_absent and not as_present if own[row] else as_present and not as_absent
            margins = (
                abs(p - sum(present) / len(present)) if present else 1,
                abs(1 - p - sum(absent) / len(absent)) if absent else 1,
            )
            # Where a mean is met to the last bit, the order of a sum decides.
            assert found[row, column] == wanted or min(margins) < 1e-9


def test_order_of_doubt__least_probable_given_first_most_probable_missing_first() -> None:
    labels = np.array([[True, False], [True, True]])
    first = np.array([[0.7, 0.9], [0.2, 0.5]])
    rows, columns = order_of_doubt(first, None, labels, given=True)
    assert list(zip(rows, columns, strict=True)) == [(1, 0), (1, 1), (0, 0)]
    rows, columns = order_of_doubt(first, None, labels, given=False)
    assert list(zip(rows, columns, strict=True)) == [(0, 1)]


def test_order_of_doubt__two_of_the_first_evidence_to_one_of_the_second() -> None:
    labels = np.ones((8, 1), dtype=np.bool_)
    first = np.arange(8.0)[:, np.newaxis]
    second = -first
    rows, _ = order_of_doubt(first, second, labels, given=True)
    # Ranks by the first 0..7; by the second, twice: row 7 has 0, row 6 has 2, row 5 has 4.
    assert rows.tolist() == [0, 7, 1, 2, 6, 3, 4, 5]
