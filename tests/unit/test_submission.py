"""Submissions and solutions: read, matched, refused."""

from __future__ import annotations

from pathlib import Path

import pytest

from finding_nemo.core.errors import SubmissionError
from finding_nemo.results.submission import match_submission, read_submission


def _file(tmp_path: Path, text: str, name: str = "s.csv") -> Path:
    path = tmp_path / name
    path.write_text(text)
    return path


@pytest.mark.parametrize(
    "text",
    [
        pytest.param("id,categories,osd\na,1 9,0.5\n", id="as-submitted"),
        pytest.param('id, categories, osd\na, "[1.0, 9.0]", 0.5\n', id="as-a-solution"),
    ],
)
def test_read__both_ways_to_write_categories(tmp_path: Path, text: str) -> None:
    (line,) = read_submission(_file(tmp_path, text))
    assert (line.image_id, line.category_ids, line.osd) == ("a", (1, 9), 0.5)


def test_read__osd_may_be_absent(tmp_path: Path) -> None:
    assert read_submission(_file(tmp_path, "id,categories\na,\n"))[0].osd is None


@pytest.mark.parametrize(
    ("text", "message"),
    [
        pytest.param("id,osd\na,1\n", "line 1: column categories is missing", id="column"),
        pytest.param("id,categories\na,x\n", "line 2: could not convert", id="text"),
        pytest.param("id,categories\na,1.5\n", "line 2: '1.5' is not a list", id="float"),
        pytest.param("id,categories,osd\na,1,nan\n", "line 2: osd must be a finite", id="nan"),
        pytest.param("id,categories\na,1\na,2\n", "1 ids are repeated.*: a", id="repeated"),
        pytest.param("id,categories\n", "holds no row", id="empty"),
        pytest.param("", "has nothing", id="zero-byte"),
    ],
)
def test_read__says_what_is_wrong(tmp_path: Path, text: str, message: str) -> None:
    with pytest.raises(SubmissionError, match=message):
        read_submission(_file(tmp_path, text))


def test_read__a_missing_file(tmp_path: Path) -> None:
    with pytest.raises(SubmissionError, match="does not exist"):
        read_submission(tmp_path / "s.csv")


def test_match__puts_lines_into_the_solutions_order(tmp_path: Path) -> None:
    solution = read_submission(_file(tmp_path, "id,categories\na,1\nb,2\n", "truth.csv"))
    submission = read_submission(_file(tmp_path, "id,categories\nb,2\na,1\n"))
    assert [line.image_id for line in match_submission(submission, solution)] == ["a", "b"]


def test_match__names_missing_and_strange_ids(tmp_path: Path) -> None:
    solution = read_submission(_file(tmp_path, "id,categories\na,1\nb,2\n", "truth.csv"))
    submission = read_submission(_file(tmp_path, "id,categories\nc,2\na,1\n"))
    with pytest.raises(SubmissionError, match=r"1 missing \(b\), 1 not in the solution \(c\)"):
        match_submission(submission, solution)
