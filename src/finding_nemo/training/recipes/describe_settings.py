"""What each setting of a recipe means, from the one place that says it: its class's docstring."""

from __future__ import annotations

import inspect
import re
from dataclasses import dataclass
from typing import Any, Literal, get_args, get_origin

from pydantic.fields import FieldInfo

from finding_nemo.core.config import NameOfTable, Settings

_ENTRY = re.compile(r"^    (\w+): (.*)$")


@dataclass(frozen=True, slots=True)
class SettingDescription:
    """One setting of a recipe.

    Attributes:
        name: As given to `--set`.
        default: The recipe's value, JSON-ready.
        choices: What it can be, where that is a list of words.
        meaning: What it does, and what each row of its table is, where it names one.
    """

    name: str
    default: Any
    choices: tuple[str, ...]
    meaning: str

    @property
    def in_words(self) -> str:
        """Return the usual value, and what else it can be."""
        usual = "null" if self.default is None else str(self.default)
        others = [choice for choice in self.choices if choice != usual]
        return f"{usual} (or {', '.join(others)})" if others else usual


def describe_settings(settings: Settings) -> tuple[SettingDescription, ...]:
    """Return every setting in the order of its class."""
    meanings = _meanings(type(settings))
    return tuple(
        SettingDescription(
            name=name,
            default=getattr(settings, name),
            choices=_choices(field),
            meaning=f"{meanings[name]}{_about(field)}",
        )
        for name, field in type(settings).model_fields.items()
    )


def _table(field: FieldInfo) -> NameOfTable | None:
    return next((check for check in field.metadata if isinstance(check, NameOfTable)), None)


def _about(field: FieldInfo) -> str:
    table = _table(field)
    return "" if table is None else f" {table.about}."


def _choices(field: FieldInfo) -> tuple[str, ...]:
    table = _table(field)
    if table is not None:
        return table.names
    return get_args(field.annotation) if get_origin(field.annotation) is Literal else ()


def _meanings(kind: type[Settings]) -> dict[str, str]:
    """Return what the docstrings of the class and its bases say; the most special one counts."""
    found: dict[str, str] = {}
    for base in reversed(kind.__mro__):
        if issubclass(base, Settings):
            found |= _attributes(inspect.cleandoc(base.__dict__.get("__doc__") or ""))
    return found


def _attributes(docstring: str) -> dict[str, str]:
    entries: dict[str, str] = {}
    name = None
    _, _, section = docstring.partition("Attributes:\n")
    for line in section.splitlines():
        if match := _ENTRY.match(line):
            name, entries[match[1]] = match[1], match[2]
        elif name and line.startswith("        "):
            entries[name] += f" {line.strip()}"
        elif line.strip():
            break
    return entries
