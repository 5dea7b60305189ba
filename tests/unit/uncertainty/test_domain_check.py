"""Whether a run's frames look like those of the training."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from finding_nemo.uncertainty.domain_check import (
    DO_NOT_TRUST,
    DiveCounts,
    DomainCheck,
    DomainCounter,
    check_domain,
)


def judged(**dives: tuple[int, int]) -> DomainCheck:
    found = check_domain({dive: DiveCounts(*counts) for dive, counts in dives.items()})
    assert found is not None
    return found


def test_check__worked_by_hand() -> None:
    # 11 frames of a dive weigh 11 / (1 + 10 * 0.2) = 11/3, one frame weighs 1.
    found = judged(a=(11, 11), b=(1, 0))
    assert found.share_far_out == pytest.approx((11 / 3) / (11 / 3 + 1))
    assert found.verdict == "foreign"
    assert (found.n_images, found.n_dives, found.foreign_dives) == (12, 2, ("a",))
    assert found.in_words.startswith("These frames look unlike those that the bundle was trained")
    assert DO_NOT_TRUST in found.in_words
    assert "79 % of them" in found.in_words


def test_check__one_long_foreign_dive_among_others_is_named_alone() -> None:
    found = judged(a=(5000, 4000), b=(50, 0), c=(50, 10))
    assert found.verdict == "partly foreign"
    assert found.foreign_dives == ("a",)
    assert "1 of 3 dives" in found.in_words
    assert "(a)" in found.in_words


def test_check__nine_odd_frames_are_no_foreign_dive() -> None:
    assert judged(a=(9, 9), b=(100, 1)).verdict == "alike"
    assert judged(a=(9, 8)).verdict == "alike"
    assert judged(a=(9, 9)).verdict == "foreign"
    assert judged(a=(100, 50)).verdict == "alike"
    assert judged(a=(100, 51)).verdict == "foreign"
    assert judged(a=(100, 1)).in_words == ""


def test_check__says_nothing_of_four_frames_or_none() -> None:
    assert check_domain({}) is None
    assert check_domain({"a": DiveCounts(4, 4)}) is None
    assert check_domain({"a": DiveCounts(0, 0)}) is None
    assert check_domain({"a": DiveCounts(5, 5)}) is not None


def test_check__names_five_dives_and_counts_the_rest() -> None:
    many = {f"d{k}": DiveCounts(10, 10) for k in range(7)} | {"": DiveCounts(10, 10)}
    usual = {f"u{k}": DiveCounts(10, 0) for k in range(20)}
    found = check_domain(many | usual)
    assert found is not None
    assert "8 of 28 dives" in found.in_words
    assert "d4 and 3 more" in found.in_words
    assert found.to_json()["message"] == found.in_words


def test_counter__leaves_out_what_cannot_be_compared() -> None:
    counter = DomainCounter()
    counter.add(np.array([np.nan, 1.0, 0.99, 0.98]), ["a", "a", None, "b"])
    assert counter.verdict() is None  # three frames
    counter.add(np.array([0.5, 0.99]), ["a", ""])
    found = counter.verdict()
    assert found is not None
    assert (found.n_images, found.n_dives) == (5, 3)
    # a: 1 of 2, weight 2 / 1.2; no dive: 2 of 2, the same weight; b: 0 of 1, weight 1.
    weight = 2 / 1.2
    assert found.share_far_out == pytest.approx((weight / 2 + weight) / (2 * weight + 1))


_FRAMES = st.lists(st.tuples(st.floats(0, 1), st.sampled_from(["a", "b", None])), max_size=60)


@given(frames=_FRAMES, cut=st.integers(0, 60))
def test_counter__does_not_depend_on_how_the_rows_were_cut(
    frames: list[tuple[float, str | None]], cut: int
) -> None:
    whole, parts = DomainCounter(), DomainCounter()
    for counter, groups in ((whole, [frames]), (parts, [frames[:cut], frames[cut:]])):
        for group in groups:
            counter.add(np.array([p for p, _ in group]), [dive for _, dive in group])
    assert whole.verdict() == parts.verdict()
