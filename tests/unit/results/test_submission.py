"""Submissions and solutions: read, matched, refused."""

from __future__ import annotations

from pathlib import Path

import pytest

from finding_nemo.core.errors import SubmissionError
from finding_nemo.evaluation.submission_score import score_submission
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
        pytest.param("\ufeffid;categories;osd\na;1 9;0,5\n;;\n", id="european-excel"),
        pytest.param("sep=\t\nid\tcategories\tosd\na\t1,9\t0.5\n", id="tabs"),
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
        pytest.param("id,categories,osd\na,1,1e999\n", "line 2: osd must be a finite", id="inf"),
        pytest.param("id,categories\na,1,2,3\n", "line 2: 4 fields .* has 2", id="no-quotes"),
        pytest.param("id,categories,osd\na,1,2,3,0.5\n", "line 2: 5 fields", id="no-quotes-osd"),
        pytest.param("id,categories,osd\nb,1,1\na,1\n", "line 3: 2 fields", id="too-few"),
        pytest.param("id,categories\na,1e400\n", "line 2: '1e400' is not a list", id="huge"),
        pytest.param("id,categories\na,3000000000\n", "line 2: .*to 2147483647", id="32-bits"),
        pytest.param("id,categories\na,-1\n", "line 2: '-1' is not a list", id="negative"),
        pytest.param("id,categories\na,nan\n", "line 2: could not convert 'nan'", id="nan-id"),
        pytest.param('id,categories\na,"[1, 2"\n', "line 2: could not convert '.1'", id="cut"),
        pytest.param("id,categories\n ,1\n", "line 2: id must not be empty", id="no-id"),
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


def test_score__says_that_guesses_behind_the_twentieth_do_not_count(tmp_path: Path) -> None:
    ids = " ".join(map(str, range(1, 22)))
    submission = read_submission(_file(tmp_path, f"id,categories\na,{ids}\nb,2\n"))
    solution = read_submission(_file(tmp_path, "id,categories\na,21\nb,2\n", "truth.csv"))
    found = score_submission(submission, solution)
    assert found.map_at_20 == 0.5
    assert found.notices == (
        "1 rows guess more than 20 categories (first: a); as in the competition, only the first "
        "20 count.",
    )
    assert score_submission(solution, solution).notices == ()
