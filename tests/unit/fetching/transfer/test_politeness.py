"""The pace at one server, worked by hand and against a slow account of all requests."""

from __future__ import annotations

from datetime import UTC, datetime
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from finding_nemo.fetching.transfer.politeness import (
    HostPace,
    Manner,
    Politeness,
    asked_pause_s,
    wait_before_try,
)

NOW = datetime(2026, 3, 1, 12, 0, 0, tzinfo=UTC)


def pace(**choices: float) -> HostPace:
    politeness = Politeness(**{"per_s": 10.0, **choices})  # type: ignore[arg-type]
    return HostPace(politeness, Random(0))  # noqa: S311 - no secret


def test_pace__begins_with_one_connection_and_ten_a_second() -> None:
    found = pace()
    assert found.wait_s(0.0) == 0.0
    found.begin(0.0)
    assert found.wait_s(0.0) is None
    found.end(0.01, Manner.WELL)
    assert found.wait_s(0.04) == pytest.approx(0.06)


def test_pace__has_one_more_connection_after_ten_good_answers_and_five_at_most() -> None:
    found, allowed = pace(), []
    for n in range(60):
        found.begin(n)
        found.end(n, Manner.WELL)
        allowed.append(found.allowed)
    assert allowed[8:11] == [1, 2, 2]
    assert allowed[19] == 3
    assert allowed[39] == allowed[-1] == 5


def test_pace__of_a_busy_server_waits_as_asked_and_is_halved() -> None:
    found = pace(raise_after=1)
    for n in range(4):
        found.begin(n)
        found.end(n, Manner.WELL)
    assert found.allowed == 5
    found.begin(10.0)
    found.end(10.0, Manner.BUSY, 30.0)
    assert found.allowed == 2
    assert found.wait_s(10.0) == pytest.approx(30.0)
    # The gap is doubled, too, and comes back by a tenth with each good answer.
    found.begin(40.0)
    found.end(40.0, Manner.WELL)
    assert found.wait_s(40.0) == pytest.approx(0.2)
    found.begin(50.0)
    assert found.wait_s(50.0) == pytest.approx(0.18)


def test_pace__pauses_after_the_third_fault_in_a_row() -> None:
    found = pace(first_wait_s=8.0)
    for n in range(3):
        assert found.wait_s(float(n)) == 0.0
        found.begin(float(n))
        found.end(float(n), Manner.WRONG)
    wait_s = found.wait_s(2.0)
    assert wait_s is not None
    assert 4.0 <= wait_s <= 8.0


def test_server_that_never_answered__is_given_up_after_six_tries() -> None:
    found = pace()
    for n in range(6):
        assert not found.is_given_up(float(n))
        found.begin(float(n))
        found.end(float(n), Manner.UNREACHABLE)
    assert found.is_given_up(6.0)


def test_server_that_answered__is_waited_for() -> None:
    found = pace(patience_s=900.0)
    found.begin(0.0)
    found.end(0.0, Manner.WELL)
    for n in range(20):
        found.begin(float(n))
        found.end(float(n), Manner.UNREACHABLE)
    assert not found.is_given_up(899.0)
    assert found.is_given_up(901.0)
    found.begin(901.0)
    found.end(901.0, Manner.WELL)
    assert not found.is_given_up(902.0)


@given(
    st.lists(
        st.tuples(st.sampled_from(list(Manner)), st.floats(0, 2), st.none() | st.floats(0, 5)),
        max_size=60,
    )
)
def test_pace__never_begins_more_or_sooner_than_it_may(
    events: list[tuple[Manner, float, float | None]],
) -> None:
    """A slow account: every request with its begin and end, looked through whole each time."""
    found, now = pace(connections=3), 0.0
    begins: list[float] = []
    open_ones = 0
    for manner, passes_s, retry_after_s in events:
        now += passes_s
        wait_s = found.wait_s(now)
        if wait_s is None:
            assert open_ones >= found.allowed
            open_ones -= 1
            found.end(now, manner, retry_after_s)
            continue
        now += wait_s
        begins.append(now)
        found.begin(now)
        open_ones += 1
        assert 1 <= open_ones <= 3
        if len(begins) % 2:
            open_ones -= 1
            found.end(now, manner, retry_after_s)
    for n, begin in enumerate(begins):
        within = [other for other in begins[: n + 1] if begin - other < 1.0 - 1e-6]
        assert len(within) <= 10


@given(st.integers(1, 2000))
def test_wait__doubles_to_a_limit_less_a_random_half(n_faults: int) -> None:
    polite = Politeness(first_wait_s=1.0, longest_wait_s=60.0)
    wait_s = wait_before_try(n_faults, polite, Random(n_faults))  # noqa: S311 - no secret
    whole = next((1.0 * 2**n for n in range(10) if n == n_faults - 1 and 2**n < 60), 60.0)
    assert whole / 2 <= wait_s <= whole


@pytest.mark.parametrize(
    ("header", "seconds"),
    [
        ("0", 0.0),
        ("120", 120.0),
        (" 7 ", 7.0),
        ("999999999999999999999", 3600.0),
        ("Sun, 01 Mar 2026 12:00:30 GMT", 30.0),
        ("Sun, 01 Mar 2026 11:00:00 GMT", 0.0),
        ("Mon, 01 Mar 2027 11:00:00 GMT", 3600.0),
        *((text, None) for text in (None, "", "-1", "1.5", "soon", "٣", "Sun, 99 Mar 2026")),
    ],
)
def test_retry_after__seconds_or_a_date(header: str | None, seconds: float | None) -> None:
    assert asked_pause_s(header, NOW) == seconds


@given(st.text(max_size=40))
def test_retry_after__any_text_is_a_pause_or_nothing(text: str) -> None:
    found = asked_pause_s(text, NOW)
    assert found is None or 0.0 <= found <= 3600.0
