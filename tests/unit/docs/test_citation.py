"""How the program is cited: CITATION.cff says what pyproject.toml says.

Source: the Citation File Format 1.2.0; its required keys are cff-version, message, title, authors.
"""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

import pytest

_ROOT = Path(__file__).parents[3]
_TEXT = (_ROOT / "CITATION.cff").read_text(encoding="utf-8")
_PROJECT = tomllib.loads((_ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
# Keys of the format that may stand at its top, those that this file could ever need.
_KEYS = {
    "cff-version", "message", "type", "title", "version", "license", "authors", "abstract",
    "keywords", "date-released", "doi", "url", "repository-code", "identifiers", "references",
    "preferred-citation",
}  # fmt: skip


def value(key: str) -> str:
    found = re.search(rf'^{key}: "?(.+?)"?$', _TEXT, re.MULTILINE)
    assert found is not None, key
    return found[1]


def items(key: str) -> list[str]:
    block = re.search(rf"^{key}:\n((?:  .*\n)+)", _TEXT, re.MULTILINE)
    assert block is not None, key
    return [
        item.strip('"') for item in re.findall(r"^  - (?:name: )?(.+)$", block[1], re.MULTILINE)
    ]


def test_citation__has_what_the_format_requires_and_no_unknown_key() -> None:
    keys = set(re.findall(r"^([\w-]+):", _TEXT, re.MULTILINE))
    assert {"cff-version", "message", "title", "authors"} <= keys <= _KEYS
    assert value("cff-version") == "1.2.0"
    assert value("type") == "software"
    assert value("message")
    assert value("title").startswith("Finding Nemo")


def test_citation__says_what_the_project_says() -> None:
    assert value("version") == _PROJECT["version"]
    assert value("license") == _PROJECT["license"]
    assert items("authors") == [author["name"] for author in _PROJECT["authors"]]
    assert items("keywords") == _PROJECT["keywords"]


def test_citation__is_yaml() -> None:
    yaml = pytest.importorskip("yaml")
    content = yaml.safe_load(_TEXT)
    assert content["authors"] == _PROJECT["authors"]
    assert content["version"] == _PROJECT["version"]
    assert isinstance(content["abstract"], str)
