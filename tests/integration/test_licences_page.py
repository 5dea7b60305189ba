"""docs/licences.md against the libraries that are installed here."""

from __future__ import annotations

from pathlib import Path

import pytest

import licences
from installed_libraries import CORE, installed_libraries, requirements_of_extras

_PAGE = (Path(__file__).parents[2] / "docs/licences.md").read_text(encoding="utf-8")


@pytest.mark.parametrize("extra", requirements_of_extras())
def test_extra__installs_nothing_under_the_gpl_without_a_reason(extra: str) -> None:
    assert licences.forbidden(installed_libraries(extra)) == []


def test_page__says_what_is_installed() -> None:
    written = licences.rows_of(_PAGE)
    wanted = licences.current_rows(written)
    assert written == wanted, "Run `python tests/licences.py` and look at what changed."
    assert licences.write_page(written) == _PAGE


def test_page__knows_the_licence_of_every_library() -> None:
    rows = licences.rows_of(_PAGE)
    unknown = [
        f"{extra}: {name}"
        for extra, libraries in rows.items()
        for name, licence in libraries.items()
        if licence in {"unknown", licences.NOT_INSTALLED}
    ]
    assert unknown == []
    assert set(rows[CORE]) >= {"numpy", "onnxruntime", "pyarrow"}
