"""A whole command from a file: by name, of the right types, all faults at once."""

from __future__ import annotations

import sys
import tomllib
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from typer.main import get_command
from typer.testing import CliRunner

from finding_nemo.cli.app import app
from finding_nemo.cli.command_file import Parameter, parameters_of, read_command, whole_command
from finding_nemo.core.errors import SettingsError

_GROUP: Any = get_command(app)
VERBS = sorted(_GROUP.commands)


def known(verb: str) -> dict[str, Parameter]:
    command = _GROUP.commands[verb]
    return parameters_of(command.params, command.callback)


def words_of(verb: str, text: str, **given: Any) -> list[str]:
    said, assignments = read_command(tomllib.loads(text), known(verb), source="run.toml")
    return whole_command(known(verb), said, assignments, given)[0]


def faults_of(verb: str, text: str) -> list[str]:
    with pytest.raises(SettingsError) as told:
        read_command(tomllib.loads(text), known(verb), source="run.toml")
    first, *lines = str(told.value).splitlines()
    assert first == f"{len(lines)} fault{'s' if len(lines) > 1 else ''} in run.toml:"
    return lines


@pytest.mark.parametrize("verb", VERBS)
def test_every_verb__every_parameter_has_a_key_and_a_type(verb: str) -> None:
    found = known(verb)
    assert len({parameter.name for parameter in found.values()}) == len(found)
    assert {p.name for p in _GROUP.commands[verb].params} == {p.name for p in found.values()}
    for key, parameter in found.items():
        assert key == parameter.key
        assert parameter.fault(object())
        right: Any = {bool: True, int: 3, float: 0.5}.get(parameter.kind, "x")
        if hasattr(parameter.kind, "__members__"):
            right = next(iter(parameter.kind))  # type: ignore[call-overload]
        assert parameter.fault(right) == ""


def test_words__are_those_of_the_command_line() -> None:
    text = """
        verb = "train"
        dataset = "frames"
        out = "runs/x"
        dive-pattern = "d(?P<dive>.)"
        seed = -1
        resume = true
        overwrite = false
        [settings]
        epochs = 3
        backbone = "3"
        widths = [1, 2]
    """
    assert words_of("train", text) == [
        "--out", "runs/x", "--set", "epochs=3", "--set", 'backbone="3"', "--set", "widths=[1, 2]",
        "--dive-pattern", "d(?P<dive>.)", "--seed", "-1", "--resume", "--no-overwrite", "frames",
    ]  # fmt: skip


def test_words__name_by_name_where_an_option_is_called_as_an_argument() -> None:
    text = 'bundle = "b"\nimages = ["-a.png", "c"]\nimages_folder = "f"\nvector = false'
    assert words_of("predict", text) == [
        "--no-vector", "--images", "f", "--", "b", "-a.png", "c",
    ]  # fmt: skip


def test_command_line__wins_and_settings_are_joined() -> None:
    text = 'dataset = "a"\nout = "x"\nset = ["dropout=0.5"]\nseed = 1\n[settings]\nepochs = 3'
    said, assignments = read_command(tomllib.loads(text), known("train"), source="run.toml")
    given = {"dataset": "b", "seed": "2", "changes": ["epochs=9"]}
    words, replaced = whole_command(known("train"), said, assignments, given)
    assert words == [
        "--out", "x", "--set", "epochs=3", "--set", "dropout=0.5", "--set", "epochs=9",
        "--seed", "2", "b",
    ]  # fmt: skip
    assert replaced == [
        'b (the file says "a")', "--set epochs=9 (the file says 3)", "--seed 2 (the file says 1)",
    ]  # fmt: skip


def test_faults__are_told_at_once_with_the_nearest_name() -> None:
    text = """
        recpie = "nemo"
        seed = "3"
        out = 7
        resume = 1
        fold = true
        strategy = "dpp"
        dive_pattern = "a"
        dive-pattern = "b"
        settings = 4
    """
    assert faults_of("train", text) == [
        "  - unknown key 'recpie'; did you mean 'recipe'?",
        '  - seed = "3": should be a whole number',
        "  - out = 7: should be a path in quotes",
        "  - resume = 1: should be true or false",
        "  - fold = true: should be a whole number",
        '  - strategy = "dpp": should be one of ddp',
        "  - dive_pattern is given twice, with dashes and with underscores",
        "  - settings = 4: should be a table, [settings]",
    ]


def test_faults__lists_dates_and_settings_of_a_verb_that_has_none() -> None:
    assert faults_of("train", "[settings]\nepochs = 2020-01-01") == [
        "  - settings.epochs = 2020-01-01: no setting is a date or time"
    ]
    assert faults_of("ensemble", "share = [1, 'a']\nout = 2020-01-01") == [
        '  - share = "a": should be a number, or a list of such',
        "  - out = 2020-01-01: should be a path in quotes",
    ]
    (line,) = faults_of("merge", "[settings]\na = 1")
    assert line.startswith("  - unknown key 'settings'; known: shards, out")


@given(st.dictionaries(st.text(max_size=12), st.one_of(st.integers(), st.text(), st.booleans())))
def test_read_command__takes_or_refuses_whatever_a_file_holds(values: dict[str, Any]) -> None:
    with suppress(SettingsError):
        said, _ = read_command(values, known("train"), source="run.toml")
        assert set(said) <= {p.name for p in known("train").values()}


def run(*words: str | Path) -> tuple[int, str, str]:
    answer = CliRunner().invoke(app, list(map(str, words)))
    said = answer.stderr + (str(answer.exception) if answer.exception else "")
    return answer.exit_code, answer.stdout, said


def test_config__runs_the_verb_and_says_what_it_stands_for(tmp_path: Path) -> None:
    file = tmp_path / "run.toml"
    file.write_text('verb = "recipes"\nname = "probe"\njson = true')
    before = list(sys.argv)
    code, out, err = run("--config", file, "prior")
    assert code == 0
    assert '"prior"' in out
    assert '"probe"' not in out
    assert f"{file}: finding-nemo recipes --json prior" in err.replace("\n", "")
    assert 'prior (the file says "probe")' in err
    assert sys.argv == before
    assert '"probe"' in run(f"--config={file}", "recipes")[1]


@pytest.mark.parametrize(
    ("text", "words", "message"),
    [
        ('verb = "recpies"', (), "unknown verb 'recpies'; known: "),
        ('verb = "recpies"', (), "Did you mean 'recipes'?"),
        ("name = 3", (), "does not say which verb it is for"),
        ('verb = "recipes"', ("train",), "is a command of 'recipes', and 'train' is asked for"),
        ("name = 3", ("recipes",), "name = 3: should be a text in quotes"),
        ("name = ", (), "cannot be read as TOML"),
    ],
)
def test_config__that_cannot_be_followed_is_refused(
    text: str, words: tuple[str, ...], message: str, tmp_path: Path
) -> None:
    file = tmp_path / "run.toml"
    file.write_text(text)
    code, _, err = run("--config", file, *words)
    assert code == 1
    assert message in err


def test_config__in_the_wrong_place_is_told_where_it_belongs(tmp_path: Path) -> None:
    file = tmp_path / "run.toml"
    file.write_text('verb = "train"')
    code, _, err = run("train", tmp_path, "--out", tmp_path / "x", "--config", file)
    assert code == 1
    assert "holds a whole command" in err
    assert f"finding-nemo --config {file}" in err
