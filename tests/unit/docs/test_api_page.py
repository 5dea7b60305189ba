"""The page of public names is that of the docstrings, and each name has all that it needs."""

from __future__ import annotations

import importlib.util
import inspect
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

import finding_nemo

_ROOT = Path(__file__).parents[3]


def _load() -> Any:
    spec = importlib.util.spec_from_file_location("api_page", _ROOT / "tests/api_page.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


page = _load()
_NAMES = [name for name in finding_nemo.__all__ if callable(getattr(finding_nemo, name))]


def test_page__is_up_to_date() -> None:
    written = (_ROOT / "docs/api.md").read_text(encoding="utf-8")
    assert written == page.api_page(), "make it again: python tests/api_page.py"


def test_page__holds_every_public_name_once() -> None:
    counted = Counter(name for names in page.CHAPTERS.values() for name in names)
    assert counted == Counter(finding_nemo.__all__)


def test_page__keeps_to_its_columns() -> None:
    long = [line for line in page.api_page().splitlines() if len(line) > 100]
    assert [line for line in long if "](#" not in line] == []


@pytest.mark.parametrize("name", _NAMES)
def test_every_name__has_summary_arguments_and_example(name: str) -> None:
    thing = getattr(finding_nemo, name)
    found = page.sections(thing.__doc__ or "")
    assert found[""].splitlines()[0].endswith((".", ":"))
    assert found.get("Example", "").startswith(">>> ")
    if inspect.isclass(thing):
        return
    parameters = list(inspect.signature(thing).parameters)
    described = [line.partition(":")[0] for line in found["Args"].splitlines() if line[0] != " "]
    assert described == parameters
    assert "Raises" in found
    assert "Returns" in found or inspect.signature(thing).return_annotation == "None"


def test_sections__are_told_apart() -> None:
    found = page.sections(
        """Do it.

        At once.

        Args:
            a: One
                of two.
            b: Other.

        Example:
            >>> do_it()  # doctest: +SKIP
        """
    )
    assert found == {
        "": "Do it.\n\nAt once.",
        "Args": "a: One\n    of two.\nb: Other.",
        "Example": ">>> do_it()  # doctest: +SKIP",
    }
    assert list(page._entries(found["Args"])) == ["`a`: One of two.", "`b`: Other."]
    assert page._code(found["Example"]) == ">>> do_it()"
