"""Each experiment is a page that says when, on what, and what came of it."""

from __future__ import annotations

import re
from datetime import date
from pathlib import Path

import pytest

_FOLDER = Path(__file__).parents[3] / "docs/experiments"
_PAGES = sorted(_FOLDER.glob("[0-9]*.md"))
_INDEX = (_FOLDER / "README.md").read_text(encoding="utf-8")
_HEADING = re.compile(
    r"# (\d{4})\. (.+) \((\d{4}-\d{2}-\d{2}), (kept|negative|superseded by (.+))\)"
)
_FACTS = ("commit", "data", "folds", "seeds")


def _heading(page: Path) -> re.Match[str]:
    match = _HEADING.fullmatch(page.read_text(encoding="utf-8").splitlines()[0])
    assert match is not None, "wanted '# NNNN. Title (YYYY-MM-DD, verdict)'"
    return match


def test_pages__are_numbered_without_a_gap_and_in_order_of_time() -> None:
    numbers = [int(page.name[:4]) for page in _PAGES]
    assert numbers == list(range(1, len(_PAGES) + 1))
    dates = [date.fromisoformat(_heading(page)[3]) for page in _PAGES]
    assert dates == sorted(dates)


@pytest.mark.parametrize("page", _PAGES, ids=lambda page: page.name)
def test_page__has_heading_question_facts_and_decision(page: Path) -> None:
    number, _, _, _, successor = _heading(page).groups()
    assert page.name.startswith(f"{number}-")
    if successor is not None:
        named = [*_FOLDER.glob(f"{successor}-*.md"), _FOLDER.parents[1] / successor]
        assert named[0].is_file()
    text = page.read_text(encoding="utf-8")
    assert "\n**Question.** " in text
    assert [
        fact for fact in _FACTS if not re.search(rf"^\| {fact} \| \S", text, re.MULTILINE)
    ] == []
    assert "\n## Decision\n" in text


@pytest.mark.parametrize("page", _PAGES, ids=lambda page: page.name)
def test_index__repeats_title_date_and_verdict(page: Path) -> None:
    number, title, day, verdict, _ = _heading(page).groups()
    assert f"| [{number}]({page.name}) | {title} | {day} | {verdict} |" in _INDEX


def test_index__is_newest_first() -> None:
    numbers = re.findall(r"^\| \[(\d{4})\]", _INDEX, re.MULTILINE)
    assert numbers == sorted(numbers, reverse=True)
