"""Help of every verb: short and long option, examples that are valid, choices that are listed."""

from __future__ import annotations

import shlex
import subprocess
import sys
from typing import Any

import pytest
import typer
from typer.testing import CliRunner

from finding_nemo.cli.main import app

_ROOT: Any = typer.main.get_command(app)
_VERBS = sorted(_ROOT.commands)


def _examples(verb: str) -> list[str]:
    module = sys.modules[_ROOT.commands[verb].callback.__module__]
    return list(module.EXAMPLES)


@pytest.mark.parametrize("verb", _VERBS)
def test_help__is_asked_for_by_h_and_shows_the_examples(verb: str) -> None:
    short = CliRunner().invoke(app, [verb, "-h"], terminal_width=200)
    assert short.exit_code == 0
    assert short.output == CliRunner().invoke(app, [verb, "--help"], terminal_width=200).output
    words = " ".join(short.output.split())
    assert _examples(verb)
    for example in _examples(verb):
        assert example in words


@pytest.mark.parametrize("verb", _VERBS)
def test_examples__use_options_that_are_there(verb: str) -> None:
    command = _ROOT.commands[verb]
    known = {name for parameter in command.params for name in parameter.opts}
    for example in _examples(verb):
        program, named, *words = shlex.split(example)
        assert (program, named) == ("finding-nemo", verb)
        assert {word for word in words if word.startswith("--")} <= known


@pytest.mark.parametrize("verb", _VERBS)
def test_every_verb__can_be_quiet_verbose_or_logged(verb: str) -> None:
    known = {name for parameter in _ROOT.commands[verb].params for name in parameter.opts}
    assert {"--quiet", "-q", "--verbose", "-v", "--log-json"} <= known


def test_two_ways_of_telling__are_refused() -> None:
    found = CliRunner().invoke(app, ["recipes", "--quiet", "--log-json"])
    assert found.exit_code == 2
    assert "exclude each other" in " ".join(found.output.split())


def test_completion__can_be_installed() -> None:
    found = CliRunner().invoke(app, ["--help"])
    assert "--install-completion" in found.output


def test_help__loads_no_heavy_library() -> None:
    code = (
        "import sys; from finding_nemo.cli.main import app\n"
        "from typer.testing import CliRunner\n"
        "assert CliRunner().invoke(app, ['train', '--help']).exit_code == 0\n"
        "print([name for name in ('numpy', 'torch', 'pyarrow') if name in sys.modules])"
    )
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert found.stdout.strip() == "[]"
