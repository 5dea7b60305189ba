"""docs/verbs.md, made from the options of every verb: python tests/verbs_page.py."""

from __future__ import annotations

import inspect
import sys
import textwrap
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import typer

from finding_nemo.cli.app import app

PAGE = Path(__file__).resolve().parents[1] / "docs/verbs.md"

# Every verb stands in one of them, in the order in which a person comes to need it.
CHAPTERS: Mapping[str, tuple[str, ...]] = {
    "Data": ("demo", "fetch", "inspect", "split", "names"),
    "Training": ("recipes", "train", "tune", "compare", "ensemble", "export", "novelty", "declare"),
    "Prediction": ("predict", "merge", "look", "explain", "similar"),
    "A dive and its reviews": ("report", "review", "suggest", "adapt", "adaptation-curve", "serve"),
    "Scores": ("evaluate", "score"),
    "Other tools": ("convert", "validate"),
}

_HEAD = """\
# Every verb, with its options

Made from the program itself by `python tests/verbs_page.py`; a test holds it up to date.
`finding-nemo VERB -h` shows the same on the screen. A whole command may stand in a file, and can be
tried without doing anything: [command-line.md](command-line.md).

Every verb has these, too:

| option | what it does |
|---|---|
| `--quiet`, `-q` | only results and errors |
| `--verbose`, `-v` | also what developers want to know |
| `--log-json` | on stderr one JSON object a line, for programs |
| `--help`, `-h` | shows the help |

Exit codes: 0 done, 1 cannot (one message says why), 2 wrong usage, 130 stopped by Ctrl-C, 143
stopped by SIGTERM ([for-agents.md](for-agents.md)).
"""
_KINDS = {"int": "number", "float": "number", "str": "text"}
_COMMON = {"quiet", "verbose", "log_json", "help"}


def commands() -> dict[str, Any]:
    """Return the command of every verb."""
    root: Any = typer.main.get_command(app)
    return dict(root.commands)


def verbs_page() -> str:
    """Return the page."""
    known = commands()
    lines = [_HEAD, *_contents(known)]
    for chapter, verbs in CHAPTERS.items():
        lines.append(f"## {chapter}\n")
        for verb in verbs:
            lines += _verb(verb, known[verb])
    return "\n".join(lines)


def _contents(known: Mapping[str, Any]) -> Iterator[str]:
    yield "| verb | what it does |"
    yield "|---|---|"
    for verbs in CHAPTERS.values():
        for verb in verbs:
            summary = _paragraphs(known[verb])[0]
            yield f"| [`{verb}`](#{verb}) | {_cell(summary)} |"
    yield ""


def _verb(verb: str, command: Any) -> Iterator[str]:
    yield f"### {verb}\n"
    for paragraph in _paragraphs(command):
        yield f"{_wrapped(paragraph)}\n"
    own = [parameter for parameter in command.params if parameter.name not in _COMMON]
    arguments = [parameter for parameter in own if parameter.param_type_name == "argument"]
    if arguments:
        yield "| argument | what it is |"
        yield "|---|---|"
        yield from (f"| {_argument(each)} | {_cell(each.help or '')} |" for each in arguments)
        yield ""
    options = [parameter for parameter in own if parameter.param_type_name == "option"]
    if options:
        yield "| option | value | what it does |"
        yield "|---|---|---|"
        yield from map(_option, options)
        yield ""
    examples: tuple[str, ...] = sys.modules[command.callback.__module__].EXAMPLES
    yield "```sh"
    yield from examples
    yield "```\n"


def _paragraphs(command: Any) -> list[str]:
    text = inspect.cleandoc(command.help or "")
    return [" ".join(paragraph.split()) for paragraph in text.split("\n\n")]


def _argument(parameter: Any) -> str:
    name = parameter.metavar or parameter.name.upper()
    several = " ..." if parameter.nargs == -1 and "..." not in name else ""
    return f"`{name}{several}`" + ("" if parameter.required else ", may be left out")


def _option(parameter: Any) -> str:
    names = ", ".join(f"`{name}`" for name in (*parameter.opts, *parameter.secondary_opts))
    help_text = _cell(parameter.help or "")
    if parameter.required:
        help_text = f"**Needed.** {help_text}"
    return f"| {names} | {_value(parameter)} | {help_text} |"


def _value(parameter: Any) -> str:
    """Return what a value looks like, and the usual one."""
    if parameter.is_flag:
        return "on unless told otherwise" if parameter.default is True else ""
    kind = _cell(parameter.metavar or _kind(parameter))
    several = ", several times" if parameter.multiple else ""
    default = parameter.default() if callable(parameter.default) else parameter.default
    if default in (None, (), []):
        return f"{kind}{several}"
    shown = getattr(default, "value", default)
    shown = f"{shown:g}" if isinstance(shown, float) else shown
    return f"{kind}{several}; usually `{_cell(str(shown))}`"


def _kind(parameter: Any) -> str:
    context = typer.Context(typer.main.get_command(app))
    kind: str = parameter.display_type(context)
    kind = kind.strip("<>[]").replace("|", ", ")
    return _KINDS.get(kind.removesuffix(" range"), kind)


def _cell(text: str) -> str:
    """Return text that stays in its cell and is no markup."""
    return " ".join(text.split()).replace("|", "\\|").replace("<", "&lt;").replace("*", "\\*")


def _wrapped(text: str) -> str:
    return textwrap.fill(text, 100, break_long_words=False, break_on_hyphens=False)


if __name__ == "__main__":
    PAGE.write_text(verbs_page(), encoding="utf-8")
