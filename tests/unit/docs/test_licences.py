"""What counts as a licence, and which ones may not be among what is installed."""

from __future__ import annotations

from email.message import Message
from importlib.metadata import Distribution, PackagePath
from typing import Any, cast

import pytest

import licences


class Library:
    """A library with metadata of its own, which nobody has to install."""

    def __init__(self, *files: str, **fields: str | list[str]) -> None:
        self.metadata = Message()
        self.files = [PackagePath(file) for file in files]
        for name, value in {"Name": "drawn", **fields}.items():
            for one in [value] if isinstance(value, str) else value:
                self.metadata[name.replace("_", "-")] = one


def library(*files: str, **fields: Any) -> Distribution:
    return cast(Distribution, Library(*files, **fields))


_BSD = "License :: OSI Approved :: BSD License"
_GPL = "License :: OSI Approved :: GNU General Public License v3 (GPLv3)"


@pytest.mark.parametrize(
    ("fields", "licence"),
    [
        ({"License_Expression": "MIT OR Apache-2.0", "License": "old words"}, "MIT OR Apache-2.0"),
        ({"License": "Apache License 2.0"}, "Apache-2.0"),
        ({"License": "BSD-3-Clause", "Classifier": [_BSD]}, "BSD-3-Clause"),
        ({"License": "Copyright (c) of somebody\nand a page", "Classifier": [_BSD]}, "BSD"),
        ({"License": "UNKNOWN", "Name": "metapype"}, "Apache-2.0"),
        ({"Classifier": ["License :: OSI Approved", _BSD, _GPL]},
         "BSD, GNU General Public License v3 (GPLv3)"),
        ({"License": "as you like it"}, "as you like it"),
        ({"License": "UNKNOWN"}, "unknown"),
        ({}, "unknown"),
    ],
)  # fmt: skip
def test_licence__is_what_the_library_says_in_one_spelling(
    fields: dict[str, Any], licence: str
) -> None:
    assert licences.licence_of(library(**fields)) == licence


@pytest.mark.parametrize(
    "licence",
    [
        "GPL-3.0-or-later", "AGPL-3.0", "GPLv2+", "MIT AND GPL-2.0-only", "GPL-2.0 OR AGPL-3.0",
        "GNU General Public License v3 (GPLv3)", "GNU Affero General Public License v3", "BSD, GPL",
    ],
)  # fmt: skip
def test_gpl__is_seen(licence: str) -> None:
    assert licences.is_gpl(licence)


@pytest.mark.parametrize(
    "licence",
    [
        "MIT", "LGPL-3.0-only", "GNU Lesser General Public License v3 (LGPLv3)", "unknown",
        "MIT OR GPL-2.0-only", "BSD-3-Clause AND GPL-3.0-or-later WITH GCC-exception-3.1",
        "BSD-3-Clause AND (GPL-2.0 OR MIT)", "GPL-3.0-with-GCC-exception",
    ],
)  # fmt: skip
def test_gpl__is_not_seen_where_there_is_a_choice_or_an_exception(licence: str) -> None:
    assert not licences.is_gpl(licence)


def test_forbidden__names_libraries_without_an_excuse_and_files_that_wheels_bring() -> None:
    assert licences.forbidden({
        "fine": library(License="MIT"),
        "absent": None,
        "strict": library(License="GPLv3"),
        "text-unidecode": library(License="GPL"),
        "carrier": library("carrier.libs/libx264-d65.so.165", "carrier/a.py", License="MIT"),
        "other": library("docs/libx264.txt", License="MIT"),
    }) == ["strict: GPLv3", "carrier: MIT carrier.libs/libx264-d65.so.165"]  # fmt: skip


def test_page__is_read_as_it_was_written() -> None:
    rows = {"core": {"numpy": "BSD-3-Clause AND MIT"}, "fast": {"a-b.c": "unknown", "d": "MIT"}}
    assert licences.rows_of(licences.write_page(rows)) == rows
