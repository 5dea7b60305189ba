"""A whole command read from a TOML file: `finding-nemo --config run.toml`.

What a verb takes is read from its signature, so a new option needs no line here.
"""

from __future__ import annotations

import difflib
import inspect
import json
import shlex
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import Enum
from pathlib import Path
from types import NoneType, UnionType
from typing import TYPE_CHECKING, Annotated, Any, Union, get_args, get_origin

if TYPE_CHECKING:
    from collections.abc import Callable

VERB, SETTINGS = "verb", "settings"
_SET = "--set"
_WANTED: Mapping[type, tuple[tuple[type, ...], str]] = {
    bool: ((bool,), "true or false"),
    int: ((int,), "a whole number"),
    float: ((int, float), "a number"),
    str: ((str,), "a text in quotes"),
    Path: ((str,), "a path in quotes"),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Parameter:
    """An argument or option of a verb.

    Attributes:
        name: What the verb's function calls it.
        key: What a file calls it.
        option: As on the command line, with dashes; "" for an argument.
        negation: The option that says no, "" if there is none.
        kind: The type of one value.
        is_list: Whether it takes several.
    """

    name: str
    key: str
    option: str
    negation: str
    kind: type
    is_list: bool

    def fault(self, value: object) -> str:
        """Return what is wrong with a value from a file, "" if nothing is."""
        values = value if self.is_list and isinstance(value, list) else [value]
        wrong = [each for each in values if not _is_of(each, self.kind)]
        if not wrong:
            return ""
        several = ", or a list of such" if self.is_list else ""
        return f"{self.key} = {_shown(wrong[0])}: should be {_wanted(self.kind)}{several}"

    def words(self, value: object) -> list[str]:
        """Return the words of a command line that say `value`."""
        values = value if isinstance(value, list | tuple) else [value]
        if not self.option:
            return [str(each) for each in values]
        if self.kind is bool:
            word = self.option if value else self.negation
            return [word] if word else []
        return [word for each in values for word in (self.option, str(each))]


def parameters_of(options: Sequence[Any], function: Callable[..., None]) -> dict[str, Parameter]:
    """Return what a verb takes, by the key of a file.

    An option's key is its long name, an argument's its name. Where an option is called as an
    argument is, its key is what the verb's function calls it.

    Args:
        options: The verb's parameters as the command line knows them.
        function: What carries the verb out.
    """
    hints = {n: p.annotation for n, p in inspect.signature(function).parameters.items()}
    arguments = {option.name for option in options if option.param_type_name == "argument"}
    found: dict[str, Parameter] = {}
    for option in options:
        is_argument = option.name in arguments
        long = "" if is_argument else next(o for o in option.opts if o.startswith("--"))
        key = long.removeprefix("--").replace("-", "_")
        kind, is_list = _kind_of(hints[option.name])
        parameter = Parameter(
            name=option.name,
            key=option.name if is_argument or key in arguments else key,
            option=long,
            negation=next(iter(option.secondary_opts), ""),
            kind=kind,
            is_list=is_list,
        )
        found[parameter.key] = parameter
    return found


def read_command(
    values: Mapping[str, Any], known: Mapping[str, Parameter], *, source: str
) -> tuple[dict[str, Any], list[str]]:
    """Return what a file says of a verb: the value of each parameter, and its `key=value` settings.

    Args:
        values: What the file holds.
        known: What the verb takes, by key.
        source: The file, for the message.

    Raises:
        SettingsError: Listing every key that is unknown or given twice and every value of a wrong
            type.
    """
    takes_settings = any(parameter.option == _SET for parameter in known.values())
    own = (VERB, *((SETTINGS,) if takes_settings else ()))
    faults: list[str] = []
    found: dict[str, Any] = {}
    for spelled, value in values.items():
        key = spelled.replace("-", "_")
        if key in own:
            continue
        if key not in known:
            faults.append(_unknown(spelled, (*known, *own)))
        elif known[key].name in found:
            faults.append(f"{key} is given twice, with dashes and with underscores")
        elif fault := known[key].fault(value):
            faults.append(fault)
        else:
            found[known[key].name] = value
    settings = values.get(SETTINGS, {}) if takes_settings else {}
    assignments, wrong = _assignments(settings)
    faults += wrong
    if faults:
        from finding_nemo.core.errors import SettingsError

        noun = "1 fault" if len(faults) == 1 else f"{len(faults)} faults"
        raise SettingsError("\n".join([f"{noun} in {source}:", *(f"  - {f}" for f in faults)]))
    return found, assignments


def whole_command(
    known: Mapping[str, Parameter],
    from_file: Mapping[str, Any],
    assignments: Sequence[str],
    given: Mapping[str, Any],
) -> tuple[list[str], list[str]]:
    """Return the words of the whole command, and those of the file that were given otherwise.

    What is given on the command line wins. Settings are joined, key by key.

    Args:
        known: What the verb takes.
        from_file: By parameter, what the file says.
        assignments: The file's settings, as `key=value`.
        given: By parameter, what the command line says; what it does not say is `None`.
    """
    options: list[str] = []
    arguments: list[str] = []
    replaced: list[str] = []
    for parameter in known.values():
        own, file = given.get(parameter.name), from_file.get(parameter.name)
        if parameter.option == _SET:
            listed = file if isinstance(file, list) else [] if file is None else [file]
            options += parameter.words([*assignments, *listed, *(own or ())])
            replaced += _replaced_settings([*assignments, *listed], own or ())
            continue
        if own is not None and file is not None:
            replaced.append(f"{shlex.join(parameter.words(own))} (the file says {_shown(file)})")
        value = file if own is None else own
        if value is not None:
            (options if parameter.option else arguments).extend(parameter.words(value))
    # Behind the two dashes a name may begin with one.
    dashes = ["--"] if any(word.startswith("-") for word in arguments) else []
    return [*options, *dashes, *arguments], replaced


def _replaced_settings(file: Sequence[str], given: Sequence[str]) -> Iterator[str]:
    before = {text.partition("=")[0]: text for text in file}
    for text in given:
        key = text.partition("=")[0]
        if key in before:
            yield f"{shlex.join([_SET, text])} (the file says {before[key].partition('=')[2]})"


def _assignments(table: object) -> tuple[list[str], list[str]]:
    if not isinstance(table, Mapping):
        return [], [f"{SETTINGS} = {_shown(table)}: should be a table, [{SETTINGS}]"]
    words, faults = [], []
    for key, value in table.items():
        try:
            words.append(f"{key}={json.dumps(value)}")
        except TypeError:  # TOML knows dates
            faults.append(f"{SETTINGS}.{key} = {value}: no setting is a date or time")
    return words, faults


def _kind_of(annotation: Any) -> tuple[type, bool]:
    """Return the type of one value, and whether several are taken."""
    if get_origin(annotation) is Annotated:
        annotation = get_args(annotation)[0]
    if get_origin(annotation) in (Union, UnionType):
        annotation = next(each for each in get_args(annotation) if each is not NoneType)
    if get_origin(annotation) is list:
        return get_args(annotation)[0], True
    return annotation, False


def _is_of(value: object, kind: type) -> bool:
    if issubclass(kind, Enum):
        return isinstance(value, str) and value in [each.value for each in kind]
    types, _ = _WANTED[kind]
    return isinstance(value, types) and (kind is bool or not isinstance(value, bool))


def _wanted(kind: type) -> str:
    if issubclass(kind, Enum):
        return f"one of {', '.join(each.value for each in kind)}"
    return _WANTED[kind][1]


def _unknown(key: str, known: Sequence[str]) -> str:
    close = difflib.get_close_matches(key.replace("-", "_"), known, n=1)
    return f"unknown key {key!r}; " + (
        f"did you mean {close[0]!r}?" if close else f"known: {', '.join(known)}"
    )


def _shown(value: object) -> str:
    try:
        return json.dumps(value, ensure_ascii=False)
    except TypeError:
        return str(value)
