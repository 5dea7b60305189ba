"""JSON whose lists and objects are longer than memory should hold: written entry by entry."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any, TextIO

from finding_nemo.core.errors import PredictionsError
from finding_nemo.core.files.atomic_files import atomic_write


class JsonParts:
    """Lists (or objects) of a JSON file, each kept in a temporary file until all are whole."""

    def __init__(self, names: tuple[str, ...], stack: ExitStack) -> None:
        """Begin with each of `names` empty; `stack` closes them."""
        self._files: dict[str, TextIO] = {
            name: stack.enter_context(
                tempfile.TemporaryFile("w+", encoding="utf-8", newline="")  # noqa: SIM115
            )
            for name in names
        }
        self._counts = dict.fromkeys(names, 0)
        self._keys: set[tuple[str, int]] = set()

    def add(self, name: str, value: object, *, key: str | None = None) -> None:
        """Add an entry to a list, or under `key` to an object.

        Raises:
            PredictionsError: If the object has the key already; a reader would see one of the two.
        """
        if key is not None:
            seen = (name, hash(key))  # of 64 bits: the texts themselves may be many and long
            if seen in self._keys:
                raise PredictionsError(
                    f"Two frames are the file {key!r}, and this form tells frames apart by their "
                    "files. Leave one of them out of the predictions, or choose another form."
                )
            self._keys.add(seen)
        file = self._files[name]
        text = json_line(value) if key is None else f"{json_line(key)}: {json_line(value)}"
        file.write(f"{',' if self._counts[name] else ''}\n{text}")
        self._counts[name] += 1

    def write_into(self, file: TextIO, name: str) -> None:
        """Copy the entries of a list or object."""
        held = self._files[name]
        held.seek(0)
        while piece := held.read(1 << 20):
            file.write(piece)


def json_line(value: object) -> str:
    """Return a value as JSON on one line; what is no number cannot be one."""
    return json.dumps(value, ensure_ascii=True, allow_nan=False)


@contextmanager
def json_parts(
    path: Path, brackets: Mapping[str, str], *, head: Mapping[str, Any]
) -> Iterator[JsonParts]:
    """Yield the long parts of a JSON object; the file gets its name when the block ends well.

    Args:
        path: The file.
        brackets: From the name of each part to "[]" for a list, "{}" for an object.
        head: The other values, written first; looked at when the block has ended, so that what
            only the last entry tells can stand there.
    """
    with ExitStack() as stack:
        parts = JsonParts(tuple(brackets), stack)
        yield parts
        with atomic_write(path) as partial, partial.open("w", encoding="utf-8") as file:
            pieces = [f"{json_line(key)}: {json_line(value)}" for key, value in head.items()]
            file.write("{\n" + ",\n".join(pieces))
            for number, (name, pair) in enumerate(brackets.items()):
                file.write((",\n" if pieces or number else "") + f"{json_line(name)}: {pair[0]}")
                parts.write_into(file, name)
                file.write(f"\n{pair[1]}")
            file.write("\n}\n")


@contextmanager
def json_list(path: Path) -> Iterator[JsonParts]:
    """Yield a list, called "", that makes up a whole JSON file."""
    with ExitStack() as stack:
        parts = JsonParts(("",), stack)
        yield parts
        with atomic_write(path) as partial, partial.open("w", encoding="utf-8") as file:
            file.write("[")
            parts.write_into(file, "")
            file.write("\n]\n")
