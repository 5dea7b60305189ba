"""Every page for people: its links lead somewhere, its files exist, its lines are short."""

from __future__ import annotations

import re
from functools import cache
from pathlib import Path

import pytest

_ROOT = Path(__file__).parents[3]
_DOCS = _ROOT / "docs"
_PAGES = [
    *(_ROOT / name for name in ("README.md", "CONTRIBUTING.md", "CHANGELOG.md", "SECURITY.md")),
    *sorted(_DOCS.rglob("*.md")),
]
# Where a path that a page names may begin.
_HOMES = (_ROOT, _ROOT / "src/finding_nemo", _ROOT / "tests")
_CODE = ("src", "tests", "benchmarks")
_MAX_COLUMNS = 100

_FENCE = re.compile(r"^```.*?^```$", re.MULTILINE | re.DOTALL)
_LINK = re.compile(r"\[[^\]]*\]\(([^)\s]+)\)")
_FILE = re.compile(r"(?<![\w/.:-])(?:[\w.-]+/)+[\w.-]+\.(?:py|md)\b")
_PAGE = re.compile(r"(?<![\w/])docs/[\w./-]+\.md\b")
_FOLDER = re.compile(r"`((?:[a-z_0-9]+/)+)`")
_OF_A_MACHINE = re.compile(
    r"(?<![\w/.:])(?:/(?:home|root|work|tmp|mnt|opt|srv|usr|var|Users)/|[A-Z]:\\)"
)
# Folders that a run makes, named in the pages.
_MADE = {"whole/", "dive_files/"}


def _name(page: Path) -> str:
    return page.relative_to(_ROOT).as_posix()


@cache
def _text(page: Path) -> str:
    return page.read_text(encoding="utf-8")


def _without_code(page: Path) -> str:
    return _FENCE.sub("", _text(page))


@cache
def _anchors(page: Path) -> frozenset[str]:
    """Return the anchors that GitHub gives the headings of a page."""
    anchors: dict[str, int] = {}
    for line in _without_code(page).splitlines():
        if line.startswith("#"):
            title = _LINK.sub(lambda link: link[0][1:].split("]")[0], line.lstrip("#").strip())
            slug = re.sub(r"[^\w\- ]", "", title.lower()).replace(" ", "-")
            anchors[slug] = anchors.get(slug, -1) + 1
    repeated = {f"{slug}-{n}" for slug, last in anchors.items() for n in range(1, last + 1)}
    return frozenset(anchors) | repeated


def _broken(page: Path, target: str) -> str | None:
    """Return why a link leads nowhere, `None` where it does."""
    if "://" in target or target.startswith("mailto:"):
        return None
    if target.startswith("/"):
        return f"{target}: an absolute path"
    path, _, anchor = target.partition("#")
    found = (page.parent / path).resolve() if path else page
    if not found.is_relative_to(_ROOT):
        return f"{target}: outside the project"
    if not found.exists():
        return f"{target}: no such file"
    if anchor and anchor not in _anchors(found):
        return f"{target}: no such heading; there are {', '.join(sorted(_anchors(found)))}"
    return None


def _cannot_break(line: str) -> bool:
    """Return whether a line is a table's row, or one link or address that must stay in one."""
    rest = _LINK.sub("", line.strip().removeprefix("* ").removeprefix("- "))
    return line.startswith("|") or "://" in line or len(rest.split()) <= 1


@pytest.mark.parametrize("page", _PAGES, ids=_name)
def test_links__lead_to_files_and_headings_that_are_there(page: Path) -> None:
    targets = _LINK.findall(_without_code(page))
    assert [why for target in targets if (why := _broken(page, target))] == []


@pytest.mark.parametrize("page", _PAGES, ids=_name)
def test_files_and_folders__that_a_page_names_exist(page: Path) -> None:
    text = _LINK.sub(lambda link: link[0][1:].split("]")[0], _text(page))
    named = {*_FILE.findall(text), *_FOLDER.findall(text)} - _MADE
    missing = [name for name in named if not any((home / name).exists() for home in _HOMES)]
    assert sorted(missing) == []


@pytest.mark.parametrize("page", _PAGES, ids=_name)
def test_lines__are_within_the_columns(page: Path) -> None:
    lines = _without_code(page).splitlines()
    assert [line for line in lines if len(line) > _MAX_COLUMNS and not _cannot_break(line)] == []


@pytest.mark.parametrize("page", _PAGES, ids=_name)
def test_page__names_no_path_of_a_machine(page: Path) -> None:
    assert _OF_A_MACHINE.findall(_text(page)) == []


def test_code__names_pages_that_exist() -> None:
    sources = [path for folder in _CODE for path in sorted((_ROOT / folder).rglob("*.py"))]
    named = {(_name(path), page) for path in sources for page in _PAGE.findall(_text(path))}
    assert sorted(pair for pair in named if not (_ROOT / pair[1]).is_file()) == []


@pytest.mark.parametrize(
    "index", [_DOCS / "index.md", *sorted(_DOCS.glob("*/README.md"))], ids=_name
)
def test_index__leads_to_every_page_beside_it(index: Path) -> None:
    linked = {(index.parent / target).resolve() for target in _LINK.findall(_text(index))}
    beside = {*index.parent.glob("*.md"), *index.parent.glob("*/README.md")} - {index}
    assert sorted(map(_name, beside - linked)) == []


def test_reader__sees_what_is_broken(tmp_path: Path) -> None:
    page = _DOCS / "index.md"
    assert _broken(page, "no-such-page.md") == "no-such-page.md: no such file"
    assert _broken(page, "/etc/hosts") == "/etc/hosts: an absolute path"
    assert "no such heading" in (_broken(page, "recipes.md#no-such-heading") or "")
    assert "outside" in (_broken(page, "../../elsewhere.md") or "")
    assert _broken(page, "recipes.md#settings-for-other-data") is None
    assert _OF_A_MACHINE.search("see /home/someone/frames")
    assert not _OF_A_MACHINE.search("MBARI's `/framegrabs/` and https://x.org/home/y")
    assert not _cannot_break("a word and [a link](of.md) after it")
