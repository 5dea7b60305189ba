"""The page on what is read, refused and noticed: each of its rows is held by a test."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

from finding_nemo.core.files.input_limits import USUAL_LIMITS

_TESTS = Path(__file__).parents[2]
_PAGE = (_TESTS.parent / "docs/inputs.md").read_text(encoding="utf-8")
_OUTCOMES = {"read", "refused", "noticed"}


def _cells(line: str) -> list[str]:
    escaped = line.strip().strip("|").replace(r"\|", "\0")
    return [cell.strip().replace("\0", "|") for cell in escaped.split("|")]


_ROWS = [_cells(line) for line in _PAGE.splitlines() if line.startswith("|") and "test_" in line]


def test_page__has_rows() -> None:
    assert len(_ROWS) > 40


@pytest.mark.parametrize("row", _ROWS, ids=lambda row: row[0][:60])
def test_row__says_what_happens_and_names_a_test_that_is_there(row: list[str]) -> None:
    _, outcome, said, holder = row
    assert outcome in _OUTCOMES
    assert said or outcome == "read"
    file, _, name = holder.strip("`").partition("::")
    found = list(_TESTS.rglob(file))
    assert len(found) == 1
    tree = ast.parse(found[0].read_text(encoding="utf-8"))
    tests = {node.name for node in ast.walk(tree) if isinstance(node, ast.FunctionDef)}
    assert name in tests


def test_page__states_the_budget_that_is_in_force() -> None:
    assert f"| {USUAL_LIMITS.max_file_bytes // 10**6} MB | `--max-file-mb` |" in _PAGE
    assert f"| {USUAL_LIMITS.max_pixels // 10**6} megapixels | `--max-megapixels` |" in _PAGE
    assert f"| {USUAL_LIMITS.max_scans}, fewer over large frames | |" in _PAGE
    assert f"| {USUAL_LIMITS.max_seconds:.0f} s | `--max-seconds` |" in _PAGE
    assert f"| {USUAL_LIMITS.max_text_bytes // 10**9} GB | |" in _PAGE
