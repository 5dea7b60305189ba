"""The commands of README.md, the tutorials, the how-tos and other pages, run on drawn frames.

What a person does in between is done here: reviews are made from the truth of the drawing, a server
is asked once and ended, each machine is given its share. Other machines are played by this one:
those that hold images, FathomNet, WoRMS, a store. Made smaller than the pages say are trainings and
the number of machines; and stand-in servers are asked more often a second than real ones.
"""

from __future__ import annotations

import re
import shutil
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

import page_follower
import page_stand_ins
from page_commands import blocks_of
from page_follower import Person

pytestmark = pytest.mark.slow

_ROOT = Path(__file__).parents[2]
_DOCS = _ROOT / "docs"
# Each goes on where the one before ended. The competition's is run by test_tutorial.py, on a drawn
# zip and a server of its own.
_TUTORIALS = [_DOCS / f"tutorial-{name}.md" for name in ("first-dive", "review", "own-survey")]
# The examples of each verb need files of many names: test_verb_examples.py.
_NOT_HERE = (*_TUTORIALS, _DOCS / "verbs.md")
_PAGES = [
    page
    for page in (_ROOT / "README.md", *sorted(_DOCS.rglob("*.md")))
    if page not in _NOT_HERE and any(block.is_run for block in blocks_of(page))
]
# What pages take as given, beside what all of them have, and what it is made of.
_GIVEN = {
    "command-line.md": {"split.csv": "demo/split.csv"},
    "convert.md": {"dive.parquet": "predicted.parquet"},
    "dive_page.md": dict.fromkeys(("archive.parquet", "dive-0297.parquet"), "predicted.parquet"),
    "formats.md": {"probe.parquet": "predicted.parquet", "split.csv": "demo/split.csv"},
    "recipes.md": {"split.csv": "demo/split.csv"},
    "review.md": {"predictions.parquet": "predicted.parquet", "split.csv": "demo/split.csv"},
    "server.md": {name: "dive-0297/00042.jpg" for name in ("frame.png", "a.png", "b.jpg")},
}
# Which machines a page asks, by what shows it.
_ASKED = {"web": "-nemo fetch|names update|https://example.org", "store": "s3://"}
_WEB = "https://example.org"


@pytest.fixture(scope="module")
def drawn(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with what the pages begin with."""
    folder = tmp_path_factory.mktemp("drawn")
    page_follower.begin(folder)
    return folder


@pytest.fixture(scope="module")
def web(drawn: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Mapping[str, str]]:
    """Web servers of others, and the variables that lead to them; adds files to `drawn`."""
    frame = (drawn / "dive-0297/00042.jpg").read_bytes()
    with page_stand_ins.web(drawn, {"/frames/00042.png": frame}) as (address, variables):
        cache = tmp_path_factory.mktemp("cache")
        yield {**variables, "XDG_CACHE_HOME": str(cache), _WEB: address}


@pytest.fixture(scope="module")
def store(drawn: Path) -> Iterator[Mapping[str, str]]:
    """A bucket, and the variables that lead to it."""
    folders = {"frames": "ARCHIVE", "dive-0297": "dive-0297"}
    files = {
        f"{name}/{path.name}": path.read_bytes()
        for name, folder in folders.items()
        for path in (drawn / folder).iterdir()
    }
    with page_stand_ins.store("archive", files) as variables:
        yield variables


@pytest.fixture
def workspace(drawn: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A copy in which one page is followed."""
    folder = tmp_path / "work"
    shutil.copytree(drawn, folder)
    monkeypatch.chdir(folder)
    return folder


@pytest.fixture
def page() -> Path | None:
    """The page that is followed; `None` where there are several."""
    return None


@pytest.fixture
def person(
    request: pytest.FixtureRequest,
    page: Path | None,
    start_server: Callable[..., Any],
    monkeypatch: pytest.MonkeyPatch,
) -> Person:
    """Who follows a page, and knows the machines that it asks."""
    text = page.read_text(encoding="utf-8") if page is not None else ""
    asked = [
        request.getfixturevalue(name) for name, sign in _ASKED.items() if re.search(sign, text)
    ]
    folder = request.getfixturevalue("workspace")
    found = Person(folder, start_server, monkeypatch)
    for elsewhere in asked:
        found.know(elsewhere)
    return found


@pytest.mark.filterwarnings("default")
@pytest.mark.usefixtures("no_proxy")
@pytest.mark.parametrize("page", _PAGES, ids=lambda page: page.relative_to(_ROOT).as_posix())
def test_page__can_be_followed_word_by_word(
    page: Path,
    person: Person,
    workspace: Path,
) -> None:
    for name, source in _GIVEN.get(page.name, {}).items():
        shutil.copy(workspace / source, name)
    _follow(page, person)


@pytest.mark.filterwarnings("default")
def test_tutorials__can_be_followed_one_after_the_other(person: Person) -> None:
    for tutorial in _TUTORIALS:
        _follow(tutorial, person)


def _follow(page: Path, person: Person) -> None:
    for block in blocks_of(page):
        if block.is_run or block.is_file:
            person.follow(block)
