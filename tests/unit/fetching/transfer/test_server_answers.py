"""What each kind of answer means, before any byte of it is kept."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from finding_nemo.fetching.transfer.politeness import Manner
from finding_nemo.fetching.transfer.server_answers import ServerAnswer, Step, judge_answer

NOW = datetime(2026, 3, 1, 12, 0, 0, tzinfo=UTC)


def judged(
    status: int, *, offset: int = 0, total: int | None = None, **headers: str
) -> ServerAnswer:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return judge_answer(status, named, offset=offset, total=total, now=NOW)


def test_whole__with_length_and_version() -> None:
    found = judged(200, content_length="12", etag='"v1"', content_type="image/png")
    assert (found.step, found.total, found.validator) == (Step.WRITE, 12, '"v1"')
    # Asked for a part, it sends the whole: that is written from the start.
    assert judged(200, offset=5, content_length="12").step is Step.WRITE


def test_version__weak_tags_do_not_do_and_the_date_of_the_last_change_does() -> None:
    assert judged(200, etag='W/"v1"').validator == ""
    assert judged(200, etag='W/"v1"', last_modified="Sun, 01 Mar 2026").validator == (
        "Sun, 01 Mar 2026"
    )


def test_coded_answer__has_neither_length_nor_version_of_the_file() -> None:
    found = judged(200, content_length="12", etag='"v1"', content_encoding="gzip")
    assert (found.step, found.total, found.validator) == (Step.WRITE, None, "")


def test_page__is_asked_for_again() -> None:
    found = judged(200, content_type="Text/HTML; charset=utf-8")
    assert found.step is Step.RETRY
    assert "web page" in found.reason


def test_part__is_appended_where_it_fits() -> None:
    found = judged(206, offset=5, total=12, content_range="bytes 5-11/12")
    assert (found.step, found.total) == (Step.APPEND, 12)
    assert judged(206, offset=5, total=12, content_range="bytes 5-11/*").total == 12
    assert judged(206, offset=5, content_range="bytes 5-11/12").total == 12


@pytest.mark.parametrize(
    ("offset", "total", "headers"),
    [
        (5, 12, {"content_range": "bytes 4-11/12"}),
        (5, 12, {"content_range": "bytes 5-12/13"}),
        (5, 12, {"content_range": "five to eleven"}),
        (5, 12, {}),
        (5, 12, {"content_range": "bytes 5-11/12", "content_encoding": "gzip"}),
        (0, None, {"content_range": "bytes 0-11/12"}),
    ],
)
def test_part__that_does_not_fit_begins_anew(
    offset: int, total: int | None, headers: dict[str, str]
) -> None:
    assert judged(206, offset=offset, total=total, **headers).step is Step.RESTART


def test_range_behind_the_end__is_the_whole_file_or_another() -> None:
    assert judged(416, offset=12, content_range="bytes */12").step is Step.COMPLETE
    assert judged(416, offset=12, content_range="bytes */13").step is Step.RESTART
    assert judged(416, offset=12).step is Step.RESTART
    assert judged(416).step is Step.GONE


@pytest.mark.parametrize("status", [429, 503])
def test_busy__with_the_pause_that_it_asks_for(status: int) -> None:
    found = judged(status, retry_after="7")
    assert (found.step, found.manner, found.retry_after_s) == (Step.RETRY, Manner.BUSY, 7.0)


@pytest.mark.parametrize("status", [408, 421, 425, 500, 502, 504, 599, 204, 302, 304])
def test_passing_faults__are_asked_again(status: int) -> None:
    found = judged(status)
    assert (found.step, found.manner) == (Step.RETRY, Manner.WRONG)
    assert str(status) in found.reason


@pytest.mark.parametrize("status", [400, 401, 403, 404, 410, 451])
def test_final_refusals__are_not_asked_again_and_are_no_fault_of_the_server(status: int) -> None:
    found = judged(status)
    assert (found.step, found.manner) == (Step.GONE, Manner.WELL)
    assert str(status) in found.reason


def test_redirect__with_and_without_where() -> None:
    found = judged(308, location="/there")
    assert (found.step, found.location) == (Step.REDIRECT, "/there")
    assert judged(301).step is Step.RETRY


@given(
    st.integers(100, 999),
    st.dictionaries(
        st.sampled_from(
            ["content-range", "content-length", "etag", "retry-after", "location", "content-type"]
        ),
        st.text(max_size=30),
    ),
    st.integers(0, 10**6),
    st.none() | st.integers(0, 10**6),
)
def test_any_answer__is_one_step(
    status: int, headers: dict[str, str], offset: int, total: int | None
) -> None:
    found = judge_answer(status, headers, offset=offset, total=total, now=NOW)
    assert found.total is None or found.total >= 0
    assert found.step is not Step.APPEND or (status == 206 and offset > 0)
    assert found.step is not Step.RETRY or found.reason
