"""The verbs, and `--config FILE` before or instead of one."""

from __future__ import annotations

import difflib
import shlex
import sys
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import typer
from typer.core import TyperGroup

from finding_nemo.cli.command_file import VERB, parameters_of, read_command, whole_command
from finding_nemo.cli.console.notices import tell_first

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

CONFIG = "--config"


class CommandFileGroup(TyperGroup):
    """A group of verbs whose whole command may stand in a file."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """Parse the words, with those of the file in place of `--config FILE` if it comes first.

        Raises:
            SettingsError: If the file cannot be read, or listing all that is wrong in it.
        """
        name, rest = _file_among(args)
        if name is None or ctx.resilient_parsing:
            return super().parse_args(ctx, args)
        words = self._words(ctx, Path(name), rest)
        # What is recorded of a run is the whole command, whatever becomes of the file.
        ctx.call_on_close(partial(setattr, sys, "argv", sys.argv))
        sys.argv = [sys.argv[0], *words]
        return super().parse_args(ctx, words)

    def _words(self, ctx: Any, path: Path, rest: Sequence[str]) -> list[str]:
        from finding_nemo.core.config import read_toml

        values = read_toml(path)
        verb, rest = self._verb(values, rest, path)
        command: Any = self.commands[verb]
        known = parameters_of(command.params, command.callback)
        from_file, assignments = read_command(values, known, source=str(path))
        own = command.context_class(command, parent=ctx, info_name=verb)
        given, left, _ = command.make_parser(own).parse_args(list(rest))
        asks_for_help = bool(given.pop("help", None))
        words, replaced = whole_command(known, from_file, assignments, given)
        help_words = ["--help"] if asks_for_help else []
        tell_first(f"{path}: {shlex.join(['finding-nemo', verb, *words])}")
        if replaced:
            tell_first(f"The command line wins over {path}: {'; '.join(replaced)}.")
        # What is left over is refused with the verb's own words.
        return [verb, *help_words, *words, *left]

    def _verb(
        self, values: Mapping[str, Any], rest: Sequence[str], path: Path
    ) -> tuple[str, Sequence[str]]:
        from finding_nemo.core.errors import SettingsError

        wanted = values.get(VERB)
        if rest and rest[0] in self.commands:
            if wanted not in (None, rest[0]):
                raise SettingsError(
                    f"{path} is a command of {wanted!r}, and {rest[0]!r} is asked for: leave one "
                    "of them out."
                )
            return rest[0], rest[1:]
        if wanted in self.commands:
            return str(wanted), rest
        verbs = ", ".join(self.commands)
        if wanted is None:
            raise SettingsError(
                f'{path} does not say which verb it is for: write {VERB} = "train" into it, or '
                f"another of {verbs}. A file of settings alone goes behind the verb: "
                f"finding-nemo train DATASET --config {path}."
            )
        close = difflib.get_close_matches(str(wanted), self.commands, n=1)
        hint = f" Did you mean {close[0]!r}?" if close else ""
        raise SettingsError(f"{path}: unknown verb {wanted!r}; known: {verbs}.{hint}")


def _file_among(args: Sequence[str]) -> tuple[str | None, Sequence[str]]:
    """Return the file of `--config FILE` or `--config=FILE` at the front, and what follows."""
    if args and args[0].startswith(f"{CONFIG}="):
        return args[0].partition("=")[2], args[1:]
    if len(args) > 1 and args[0] == CONFIG:
        return args[1], args[2:]
    return None, args


def refuse_late_config(path: Path | None) -> None:
    """Refuse `--config` where it does not come first; the group takes it there.

    Raises:
        typer.BadParameter: Always where there is one.
    """
    if path is not None:
        raise typer.BadParameter(
            f"{CONFIG} FILE with a whole command comes first: finding-nemo {CONFIG} {path}"
        )
