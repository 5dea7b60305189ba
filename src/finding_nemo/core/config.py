"""Settings: frozen, typed, unknown keys refused, all faults in one message."""

from __future__ import annotations

import difflib
import json
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Self

from pydantic import AfterValidator, BaseModel, ConfigDict, ValidationError

from finding_nemo.core.errors import SettingsError
from finding_nemo.core.files.text_files import read_text
from finding_nemo.core.names.registries import Entry, describe


class Settings(BaseModel):
    """The base of every settings class."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)

    @classmethod
    def build(cls, values: Mapping[str, Any], *, source: str = "settings") -> Self:
        """Return settings from plain values.

        Args:
            values: Key by key, as read from a file or a command line.
            source: Where they come from, for the message.

        Raises:
            SettingsError: Listing every unknown key and every value out of range.
        """
        try:
            return cls.model_validate(dict(values))
        except ValidationError as error:
            raise SettingsError(_all_faults(error, cls, source)) from None


def _all_faults(error: ValidationError, cls: type[BaseModel], source: str) -> str:
    faults = error.errors(include_url=False)
    lines = [_fault_line(fault, cls) for fault in faults]
    noun = "1 fault" if len(lines) == 1 else f"{len(lines)} faults"
    return f"{noun} in {source}:\n" + "\n".join(f"  - {line}" for line in lines)


def _fault_line(fault: Mapping[str, Any], cls: type[BaseModel]) -> str:
    key = ".".join(str(part) for part in fault["loc"])
    if not key:
        return str(fault["msg"]).removeprefix("Value error, ")
    if fault["type"] == "extra_forbidden":
        close = difflib.get_close_matches(key, cls.model_fields, n=1)
        hint = f"did you mean {close[0]!r}?" if close else f"known: {', '.join(cls.model_fields)}."
        return f"unknown key {key!r}; {hint}"
    if fault["type"] == "missing":
        return f"missing key {key!r}"
    words = fault["msg"].removeprefix("Value error, ")
    return f"{key} = {fault['input']!r}: {words.lower()}"


@dataclass(frozen=True, slots=True)
class NameOfTable(AfterValidator):
    """A check that a setting is a name of a table, which also says which names there are.

    Attributes:
        table: What the setting takes, also what was added after the setting was declared.
    """

    table: Mapping[str, Entry] = field(default_factory=dict)

    @property
    def names(self) -> tuple[str, ...]:
        """What the setting takes."""
        return tuple(self.table)

    @property
    def about(self) -> str:
        """What each of them is, in words."""
        return describe(self.table.values())


def one_of(table: Mapping[str, Entry]) -> NameOfTable:
    """Return what lets a setting take the names of `table` and nothing else.

    Example:
        >>> loss: Annotated[str, one_of(LOSSES)] = "mean-bce"  # doctest: +SKIP
    """

    def checked(value: str) -> str:
        if value not in table:
            raise ValueError(f"input should be one of {', '.join(table)}")
        return value

    return NameOfTable(checked, table)


def parse_assignments(assignments: Sequence[str]) -> dict[str, Any]:
    """Return the values of `key=value` words, as given to `--set`.

    A value is read as JSON where it is JSON (`3`, `0.1`, `true`, `[1, 2]`) and as text otherwise.

    Raises:
        SettingsError: Listing every word that has no `=` or no key.
    """
    texts = split_assignments(assignments, option="--set")
    return {key: json_or_text(text) for key, text in texts.items()}


def split_assignments(assignments: Sequence[str], *, option: str) -> dict[str, str]:
    """Return the text behind each key of `key=value` words.

    Raises:
        SettingsError: Naming `option` and listing every word that has no `=` or no key.
    """
    texts: dict[str, str] = {}
    faults = []
    for assignment in assignments:
        key, equals, text = assignment.partition("=")
        if not equals or not key.strip():
            faults.append(f"  - {assignment!r} is not of the form key=value")
            continue
        texts[key.strip()] = text.strip()
    if faults:
        raise SettingsError(f"{option} takes key=value:\n" + "\n".join(faults))
    return texts


def json_or_text(text: str) -> Any:  # noqa: ANN401 - JSON values are of any type
    """Return what `text` says as JSON, or itself."""
    try:
        return json.loads(text)
    except (ValueError, RecursionError):  # no JSON, or numbers and nesting without end
        return text


def read_toml(path: Path) -> dict[str, Any]:
    """Return the settings that a TOML file holds.

    Raises:
        SettingsError: If the file is missing or is not TOML (with the line).
    """
    text = read_text(path, refusal=SettingsError)
    try:
        return tomllib.loads(text)
    except RecursionError:
        raise SettingsError(f"The settings file {path} is nested too deep.") from None
    except ValueError as error:  # of TOML, or a number of thousands of digits
        raise SettingsError(f"The settings file {path} cannot be read as TOML: {error}.") from None
