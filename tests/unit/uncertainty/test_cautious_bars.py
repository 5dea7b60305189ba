"""From which probability on an answer is right often enough."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from finding_nemo.core.errors import PredictionsError
from finding_nemo.uncertainty.cautious_bars import (
    BARS,
    FRAME_CORRELATION,
    PRIOR_FRAMES,
    CheckedAnswers,
    fit_bars,
)


def checked(rows: list[tuple[float, bool, int, str]], n_names: int = 2) -> CheckedAnswers:
    scores, right, names, dives = zip(*rows, strict=True) if rows else ((), (), (), ())
    return CheckedAnswers(
        scores=np.array(scores, dtype=np.float64),
        is_right=np.array(right, dtype=np.bool_),
        names=np.array(names, dtype=np.int64),
        dives=dives,
        n_names=n_names,
    )


def slowly(
    rows: list[tuple[float, bool, int, str]], n_names: int, wanted: float, lowest: float
) -> list[float]:
    """Return the bars, frame by frame."""

    def share(chosen: list[tuple[float, bool, int, str]], prior: float) -> float:
        sizes = {dive: sum(row[3] == dive for row in chosen) for *_, dive in chosen}
        weights = [1 / (1 + (sizes[row[3]] - 1) * FRAME_CORRELATION) for row in chosen]
        right = sum(w for w, row in zip(weights, chosen, strict=True) if row[1])
        return (right + PRIOR_FRAMES * prior) / (sum(weights) + PRIOR_FRAMES)

    found = []
    for name in range(n_names):
        passing = [float("inf")]
        for bar in BARS:
            above = [row for row in rows if row[0] >= bar]
            stated = sum(row[0] for row in above) / len(above) if above else (1 + bar) / 2
            of_name = share([row for row in above if row[2] == name], share(above, stated))
            if bar >= lowest and of_name >= wanted:
                passing.append(bar)
        found.append(min(passing))
    return found


def test_bars__worked_by_hand() -> None:
    # Name 0 is wrong in all 11 frames of each of 20 dives: 11 / (1 + 10 * 0.2) = 11/3 a dive, 73.3
    # in all, beside 50 that say 0.96: 48 / 123.3 = 0.389 for all, and (50 * 0.389) / 123.3 = 0.158
    # for itself. Name 1, which nobody saw, gets what is so for all.
    rows = [(0.96, False, 0, f"d{k}") for k in range(20) for _ in range(11)]
    assert fit_bars(checked(rows), wanted=0.158, lowest=0.95).tolist() == [0.97, 0.95]
    assert fit_bars(checked(rows), wanted=0.157, lowest=0.95).tolist() == [0.95, 0.95]
    assert fit_bars(checked(rows), wanted=0.390, lowest=0.95).tolist() == [0.97, 0.97]


def test_bars__without_a_witness_the_stated_probability_is_believed() -> None:
    assert fit_bars(checked([]), wanted=0.9, lowest=0.94).tolist() == [0.94, 0.94]
    assert fit_bars(checked([]), wanted=0.9, lowest=0.6).tolist() == [0.8, 0.8]
    assert fit_bars(checked([]), wanted=1.0, lowest=0.6).tolist() == [np.inf, np.inf]


def test_bars__one_long_dive_counts_as_five_frames() -> None:
    few = [(0.99, False, 0, "a")] * 5
    many = [(0.99, False, 0, "a")] * 5000
    # 5 frames weigh 2.8, 5,000 weigh 4.996: 50 * 0.99 / 52.8 = 0.9375 against 0.9001 for all.
    assert fit_bars(checked(few, 1), wanted=0.93, lowest=0.98)[0] == 0.995
    assert fit_bars(checked(few, 1), wanted=0.88, lowest=0.98)[0] == 0.98
    assert fit_bars(checked(many, 1), wanted=0.81, lowest=0.98)[0] == 0.98


_ROW = st.tuples(
    st.sampled_from([0.3, 0.62, 0.8, 0.93, 0.95, 0.99, 1.0]),
    st.booleans(),
    st.integers(0, 2),
    st.sampled_from(["a", "b", "c"]),
)


@given(
    rows=st.lists(_ROW, max_size=40),
    wanted=st.sampled_from([0.5, 0.7, 0.9, 0.95]),
    lowest=st.sampled_from([0.6, 0.94]),
)
def test_bars__are_those_of_the_slow_version(
    rows: list[tuple[float, bool, int, str]], wanted: float, lowest: float
) -> None:
    found = fit_bars(checked(rows, 3), wanted=wanted, lowest=lowest)
    assert found.tolist() == slowly(rows, 3, wanted, lowest)


def test_bars__need_one_value_an_image() -> None:
    with pytest.raises(PredictionsError, match="one dive an image"):
        CheckedAnswers(
            scores=np.zeros(2),
            is_right=np.zeros(2, dtype=np.bool_),
            names=np.zeros(2, dtype=np.int64),
            dives=["a"],
            n_names=1,
        )
