"""Every command that a page shows has verbs and options that exist; where it is run is decided."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path
from typing import Any

import pytest
import typer

from finding_nemo.cli.app import app
from page_commands import NOT_RUN, Block, blocks_of, own_words, words_of

_ROOT = Path(__file__).parents[3]
_DOCS = _ROOT / "docs"
_PAGES = [_ROOT / "README.md", _ROOT / "CONTRIBUTING.md", *sorted(_DOCS.rglob("*.md"))]
_VERBS: dict[str, Any] = dict(getattr(typer.main.get_command(app), "commands"))  # noqa: B009
_EXTRAS = re.compile(r"(?:finding-nemo|\.|\.whl\))\[([a-z0-9,]+)\]")


def _name(page: Path) -> str:
    return page.relative_to(_ROOT).as_posix()


def _fault(words: list[str]) -> str | None:
    """Return what is wrong with the words behind the program's name, `None` if nothing is."""
    if words[:1] == ["--config"]:
        words = words[2:]
        if words and words[0].startswith("-"):  # the verb stands in the file
            faults = [_fault([verb, *words]) for verb in _VERBS]
            return None if None in faults else f"{words}: options of no verb"
    if not words or words[0].startswith("-"):
        return None if set(words) <= {"--version", "--help", "-h"} else f"{words}: no verb"
    verb, *rest = words
    if verb == "VERB":
        return None
    if verb not in _VERBS:
        return f"{verb}: no such verb"
    parameters = _VERBS[verb].params
    known = {name for each in parameters for name in (*each.opts, *each.secondary_opts)}
    known |= {"-h", "--help"}
    unknown = [word for word in rest if re.match(r"--?[a-z]", word) and word not in known]
    return f"{verb}: no such option: {', '.join(unknown)}" if unknown else None


@pytest.mark.parametrize("page", _PAGES, ids=_name)
def test_commands__have_verbs_and_options_that_exist(page: Path) -> None:
    found = [
        f"{_name(page)}:{block.line}: {fault}"
        for block in blocks_of(page)
        if block.language in ("", "sh", "console")
        for command in block.commands
        if (words := own_words(command)) is not None and (fault := _fault(words))
    ]
    assert found == []


@pytest.mark.parametrize("page", _PAGES, ids=_name)
def test_commands__are_run_or_say_why_not(page: Path) -> None:
    if page == _DOCS / "tutorial-fathomnet.md":
        return  # its commands and what they print are compared by test_tutorial.py
    unmarked = [
        block.line
        for block in blocks_of(page)
        if block.language in ("", "console") and not block.title and block.commands
    ]
    assert unmarked == [], "commands are sh, which a test runs; output is text"


@pytest.mark.parametrize("page", _PAGES, ids=_name)
def test_installations_and_targets__exist(page: Path) -> None:
    project = tomllib.loads((_ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    makefile = (_ROOT / "Makefile").read_text("utf-8")
    for block in blocks_of(page):
        for command in block.commands if block.language in ("", "sh", "console") else ():
            if command.startswith("make "):
                assert re.search(rf"^{words_of(command)[1]}:", makefile, re.MULTILINE), command
            if "pip install" in command:
                named = {name for found in _EXTRAS.findall(command) for name in found.split(",")}
                assert named <= set(project["optional-dependencies"]), command


def test_blocks__are_read_as_a_person_reads_them(tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    page.write_text(
        '# Page\n\n```sh\n# why\nfinding-nemo predict b \\\n  x --out "a b"  # said\n```\n\n'
        f'```sh title="{NOT_RUN}needs S3"\nfinding-nemo look b s3://x\n```\n\n'
        "```console\n$ finding-nemo split x\ndone\n```\n\n```text\nnothing\n```\n"
    )
    first, second, third, fourth = blocks_of(page)
    assert (first.line, first.is_run, second.is_run, third.is_run) == (3, True, False, False)
    assert own_words(first.commands[0]) == ["predict", "b", "x", "--out", "a b"]
    assert third.commands == ("finding-nemo split x",)
    assert fourth == Block(18, "text", "", ("nothing",), "nothing\n")
    assert own_words("pip install 'finding-nemo[train]'") is None
    assert own_words("torchrun ... finding-nemo train ... --devices 4") == [
        "train",
        "--devices",
        "4",
    ]


@pytest.mark.parametrize(
    ("words", "fault"),
    [
        (["predict", "b", "x", "--out", "p"], None),
        (["predict", "b", "--uot", "p"], "predict: no such option: --uot"),
        (["foretell"], "foretell: no such verb"),
        (["--config", "run.toml", "train", "--seed", "2"], None),
        (["--nothing"], "['--nothing']: no verb"),
        (["--config", "run.toml"], None),
        (["--config", "run.toml", "--seed", "2", "--set", "a=1"], None),
        (["--config", "run.toml", "--sed", "2"], "['--sed', '2']: options of no verb"),
    ],
)
def test_fault__names_what_does_not_exist(words: list[str], fault: str | None) -> None:
    assert _fault(words) == fault
