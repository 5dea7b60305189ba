"""The commands that pages show, read from their fenced blocks.

A block of `sh` is run by a test, from top to bottom, on drawn frames. One that asks for what a test
has not, such as a network, says so in its title, which the site shows above it:

    ```sh title="Not run by the tests: needs S3"

Its commands are still parsed: their verbs and options exist. A block of another language that has
the name of a file as its title is what a person writes into that file.
"""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

NOT_RUN = "Not run by the tests: "
_FENCE = re.compile(r"^( *)```([^\n`]*)\n(.*?)^ *```$", re.MULTILINE | re.DOTALL)
_TITLE = re.compile(r'title="([^"]*)"')
PROGRAM = "finding-nemo"


@dataclass(frozen=True)
class Block:
    """A fenced block of a page.

    Attributes:
        line: Where it begins, counted from 1.
        language: What it is marked as; "" if as nothing.
        title: What stands above it.
        commands: Its lines, continued ones joined, without prompts, comments and output.
        text: All that stands in it.
    """

    line: int
    language: str
    title: str
    commands: tuple[str, ...]
    text: str

    @property
    def is_run(self) -> bool:
        """Whether a test runs it."""
        return self.language == "sh" and not self.title.startswith(NOT_RUN)

    @property
    def is_file(self) -> bool:
        """Whether it is the content of a file that its title names."""
        return self.language != "sh" and bool(self.title)


def blocks_of(page: Path) -> list[Block]:
    """Return the fenced blocks of a page."""
    text = page.read_text(encoding="utf-8")
    found = []
    for match in _FENCE.finditer(text):
        language, _, rest = match[2].strip().partition(" ")
        title = _TITLE.search(rest)
        commands = tuple(_commands(match[3], has_prompts=language == "console"))
        line = text.count("\n", 0, match.start()) + 1
        found.append(Block(line, language, title[1] if title else "", commands, match[3]))
    return found


def _commands(text: str, *, has_prompts: bool) -> Iterator[str]:
    for line in text.replace("\\\n", " ").splitlines():
        stripped = line.strip()
        if has_prompts:
            if not stripped.startswith("$ "):
                continue
            stripped = stripped[2:]
        if stripped and not stripped.startswith("#"):
            yield stripped


def words_of(command: str) -> list[str]:
    """Return the words of a command, its comment left out."""
    return shlex.split(command, comments=True)


def own_words(command: str) -> list[str] | None:
    """Return the words behind `finding-nemo` in a command, `None` if it does not call it."""
    if PROGRAM not in command:
        return None
    words = words_of(command)
    if PROGRAM not in words:
        return None
    return [word for word in words[words.index(PROGRAM) + 1 :] if word != "..."]
