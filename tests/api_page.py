"""docs/api.md, made from the docstrings of the public names: python tests/api_page.py."""

from __future__ import annotations

import inspect
import re
import textwrap
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import finding_nemo

PAGE = Path(__file__).resolve().parents[1] / "docs/api.md"
_COLUMNS = 100
_SECTIONS = ("Args", "Attributes", "Returns", "Raises", "Source", "Example")
_SECTION = re.compile(rf"^({'|'.join(_SECTIONS)}):$")
_ENTRY = re.compile(r"^(\w+): (.*)$")
_TITLES = {"Args": "Arguments", "Attributes": "Attributes", "Returns": "Returns"}
_TITLES |= {"Raises": "Raises", "Source": "Source", "Example": "Example"}

# Every public name stands in one of them.
CHAPTERS: dict[str, tuple[str, ...]] = {
    "Data": (
        "read_dataset",
        "Dataset",
        "ImageRecord",
        "CategoryTable",
        "Category",
        "make_split",
        "split_by_dive",
        "read_split",
        "write_split",
        "Split",
        "draw_dataset",
    ),
    "Training": ("train", "TrainedRun", "EpochRow", "Callback", "TrainingStart"),
    "Parts of your own": (
        "register_loss",
        "register_backbone",
        "register_augmentation",
        "register_sampler",
        "register_recipe",
    ),
    "Prediction": (
        "Predictor",
        "PredictionStream",
        "Prediction",
        "load_bundle",
        "Bundle",
        "read_predictions",
        "PredictionTable",
    ),
    "Reviews, and results handed on": ("suggest", "adapt", "convert"),
    "Evaluation": ("evaluate", "Evaluation", "map_at_k", "compare", "Comparison", "STUDY_RECIPES"),
    "Pictures": (
        "plot_curves",
        "plot_comparison",
        "plot_reliability",
        "plot_predictions",
        "plot_categories",
    ),
    "Words and errors": ("ConsoleReporter", "FindingNemoError", "errors"),
}

_HEAD = """\
# The public names

Made from the docstrings by `python tests/api_page.py`; a test holds it up to date. How they are
used together: [python.md](python.md). Everything below is `finding_nemo.NAME`; what is not on this
page may change without a word.
"""


def sections(docstring: str) -> dict[str, str]:
    """Return what a docstring says, the words in front under ""."""
    found: dict[str, list[str]] = {"": []}
    name = ""
    for line in inspect.cleandoc(docstring).splitlines():
        if match := _SECTION.match(line):
            name = match[1]
            found[name] = []
        else:
            found[name].append(line)
    return {key: textwrap.dedent("\n".join(lines)).strip() for key, lines in found.items()}


def api_page() -> str:
    """Return the page."""
    return "\n".join([_HEAD, *_contents(), *(part for name in CHAPTERS for part in _chapter(name))])


def _contents() -> Iterator[str]:
    for chapter, names in CHAPTERS.items():
        links = ", ".join(f"[`{name}`](#{name.lower()})" for name in names)
        yield _wrapped(f"* {chapter}: {links}", indent="  ")
    yield ""


def _chapter(chapter: str) -> Iterator[str]:
    yield f"## {chapter}\n"
    for name in CHAPTERS[chapter]:
        thing = getattr(finding_nemo, name)
        yield f"### {name}\n"
        if inspect.ismodule(thing):
            yield from _module(thing)
        elif inspect.isclass(thing):
            yield from _class(name, thing)
        elif callable(thing):
            yield from _callable(name, thing)
        else:
            yield (
                f"`{name} = {thing!r}`\n" if len(repr(thing)) < 80 else _fenced(_tuple(name, thing))
            )


def _tuple(name: str, values: tuple[str, ...]) -> str:
    return f"{name} = (\n" + "".join(f"    {value!r},\n" for value in values) + ")"


def _module(module: object) -> Iterator[str]:
    text = inspect.cleandoc(module.__doc__ or "")
    first, tree, rest = text.split("\n\n")
    yield _wrapped(f"{first} Each is an attribute of `finding_nemo.errors`.") + "\n"
    yield _fenced(tree, "text")
    yield _wrapped(rest) + "\n"


def _class(name: str, cls: type) -> Iterator[str]:
    found = sections(cls.__doc__ or "")
    init = sections(getattr(vars(cls).get("__init__"), "__doc__", None) or "")
    is_made_by_people = "Attributes" not in found and "Args" in init
    yield _fenced(_signature(name, cls, hide=not (is_made_by_people or "Attributes" in found)))
    yield from _described(
        {**found, **{key: init[key] for key in ("Args", "Raises") if key in init}}
    )
    for key, member in vars(cls).items():
        if key.startswith("_") or key == "facts":
            continue
        if isinstance(member, property) or type(member).__name__ == "cached_property":
            function = member.fget if isinstance(member, property) else member.func
            words = sections(function.__doc__ or "")[""]
            yield _wrapped(f"* `.{key}`: {_in_line(words)}", indent="  ") + "\n"
        elif inspect.isfunction(member):
            yield _fenced(_signature(f".{key}", member))
            yield from _described(sections(member.__doc__ or ""))


def _callable(name: str, function: Callable[..., Any]) -> Iterator[str]:
    yield _fenced(_signature(name, function))
    yield from _described(sections(function.__doc__ or ""))


def _described(found: dict[str, str]) -> Iterator[str]:
    for paragraph in filter(None, found[""].split("\n\n")):
        yield _wrapped(_in_line(paragraph)) + "\n"
    for name in _SECTIONS:
        if name not in found:
            continue
        if name == "Example":
            yield f"{_TITLES[name]}:\n"
            yield _fenced(_code(found[name]))
        elif name in ("Returns", "Source"):
            yield _wrapped(f"{_TITLES[name]}: {_in_line(found[name])}") + "\n"
        else:
            yield f"{_TITLES[name]}:\n"
            yield "\n".join(_wrapped(f"* {entry}", indent="  ") for entry in _entries(found[name]))
            yield ""


def _entries(text: str) -> Iterator[str]:
    """Yield each "name: words" of a section, its lines joined."""
    held: list[str] = []
    for line in [*text.splitlines(), "end: "]:
        match = _ENTRY.match(line)
        if match and held:
            yield " ".join(held)
        held = [f"`{match[1]}`: {match[2]}"] if match else [*held, line.strip()]


def _code(text: str) -> str:
    lines = (re.sub(r"\s+# doctest: \+SKIP$", "", line) for line in text.splitlines())
    return "\n".join(lines)


def _signature(name: str, function: Callable[..., Any], *, hide: bool = False) -> str:
    if hide:
        return name
    signature = inspect.signature(function)
    kept = [p for p in signature.parameters.values() if p.name != "self"]
    returns = signature.return_annotation
    arrow = "" if returns is signature.empty or returns is None else f" -> {_type(returns)}"
    if inspect.isclass(function):
        arrow = ""
    parameters = [_parameter(p) for p in kept]
    if any(p.kind is p.KEYWORD_ONLY for p in kept):
        first = next(n for n, p in enumerate(kept) if p.kind is p.KEYWORD_ONLY)
        parameters.insert(first, "*")
    line = f"{name}({', '.join(parameters)}){arrow}"
    if len(line) <= _COLUMNS:
        return line
    return f"{name}(\n" + "".join(f"    {text},\n" for text in parameters) + f"){arrow}"


def _parameter(parameter: inspect.Parameter) -> str:
    text = parameter.name
    if parameter.annotation is not parameter.empty:
        text += f": {_type(parameter.annotation)}"
    if parameter.default is parameter.empty:
        return text
    value = repr(parameter.default)
    is_plain = re.fullmatch(r"[\w.'\"()\[\], -]+", value)
    return f"{text} = {value if is_plain else '...'}"


def _type(annotation: object) -> str:
    return annotation if isinstance(annotation, str) else inspect.formatannotation(annotation)


def _fenced(text: str, language: str = "python") -> str:
    return f"```{language}\n{text}\n```\n"


def _in_line(text: str) -> str:
    return " ".join(text.split())


def _wrapped(text: str, indent: str = "") -> str:
    return textwrap.fill(
        text,
        _COLUMNS,
        subsequent_indent=indent,
        break_long_words=False,
        break_on_hyphens=False,
    )


if __name__ == "__main__":
    PAGE.write_text(api_page(), encoding="utf-8")
