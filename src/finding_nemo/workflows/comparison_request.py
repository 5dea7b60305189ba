"""What a comparison is of, and whether its folder holds one to go on with."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

from finding_nemo.core.errors import OutputExistsError, SettingsError
from finding_nemo.core.files.atomic_files import (
    prepare_output_folder,
    refuse_replacing,
    write_text,
)
from finding_nemo.core.records import Split
from finding_nemo.core.reporter import Reporter
from finding_nemo.data.splits.split_csv import split_hash, write_split
from finding_nemo.training.recipes.registry import find_recipe

REQUEST = "comparison.json"
# Written into a training's folder when it and its predictions are done.
SECONDS = "seconds.json"
RUNS = "runs"


class AskedFold(NamedTuple):
    """One training of a comparison: of a recipe, on a split or one of its folds, in a folder."""

    recipe: str
    split: Split
    fold: int | None
    folder: Path


@dataclass(frozen=True, slots=True, kw_only=True)
class ComparisonRequest:
    """What is compared.

    Attributes:
        out: The folder.
        recipes: Names of `RECIPES`.
        splits: By protocol.
        settings: Changes for those recipes that have such a setting.
        changes: By recipe, those of `settings` that it has.
        seed: Of every training.
    """

    out: Path
    recipes: tuple[str, ...]
    splits: Mapping[str, Split]
    settings: Mapping[str, Any]
    changes: Mapping[str, Mapping[str, Any]]
    seed: int

    def check(self, *, overwrite: bool, resume: bool, reporter: Reporter) -> bool:
        """Return whether the folder holds this comparison, to go on with; change nothing.

        Raises:
            OutputExistsError: If it holds anything else and may not be replaced; of another
                comparison it says what differs.
        """
        if overwrite or not (self.out / REQUEST).is_file():
            refuse_replacing(self.out, overwrite=overwrite)
            if resume:
                reporter.message(f"{self.out} holds nothing to resume: beginning.")
            return False
        if differences := self._differences():
            raise OutputExistsError(
                f"{self.out} holds another comparison: {'; '.join(differences)}. To go on with it "
                "give the same data, splits, recipes, settings and seed; or choose another output, "
                "or add --overwrite."
            )
        reporter.message(
            f"Going on with the comparison in {self.out}: what ended is not trained again."
        )
        return True

    def begin(self, *, overwrite: bool) -> None:
        """Make the folder, with what is compared.

        Raises:
            OutputError: If it cannot be made.
        """
        prepare_output_folder(self.out, overwrite=overwrite)
        for protocol, split in self.splits.items():
            write_split(split, self.out / f"split-{protocol}.csv")
        write_text(self.out / REQUEST, json.dumps(self._values(), indent=2) + "\n")

    def folder_of(self, protocol: str, recipe: str) -> Path:
        """Return where a recipe's trainings on a protocol are."""
        return self.out / RUNS / protocol / recipe

    def trainings(self) -> Iterator[AskedFold]:
        """Yield each training, in order."""
        for protocol, split in self.splits.items():
            for recipe in self.recipes:
                for fold in fold_numbers(split):
                    folder = fold_folder(self.folder_of(protocol, recipe), fold)
                    yield AskedFold(recipe, split, fold, folder)

    def _values(self) -> dict[str, Any]:
        return {
            "settings": dict(self.settings),
            "seed": self.seed,
            "recipes": list(self.recipes),
            "splits": {protocol: split_hash(split) for protocol, split in self.splits.items()},
        }

    def _differences(self) -> list[str]:
        """Return each way in which the comparison that is there differs, in words."""
        here = json.loads(json.dumps(self._values()))
        try:
            there = json.loads((self.out / REQUEST).read_text(encoding="utf-8"))
            if there == here:
                return []
            found = [
                f"{key} {_shown(there[key])} there, {_shown(here[key])} here"
                for key in ("recipes", "seed", "settings")
                if there[key] != here[key]
            ]
            return found + _other_splits(there["splits"], here["splits"])
        except (OSError, ValueError, KeyError, TypeError, AttributeError):
            return [f"{self.out / REQUEST} cannot be read"]


def comparison_request(
    *,
    out: Path,
    recipes: Sequence[str],
    splits: Mapping[str, Split],
    settings: Mapping[str, Any] | None,
    seed: int,
) -> ComparisonRequest:
    """Return what is compared.

    Raises:
        SettingsError: If a recipe is unknown, or no recipe has one of the settings.
    """
    given = dict(settings or {})
    changes = {recipe: _known_settings(recipe, given) for recipe in recipes}
    used = {name for known in changes.values() for name in known}
    unknown = sorted(set(given) - used)
    if unknown:
        raise SettingsError(f"None of {', '.join(changes)} has the setting {', '.join(unknown)}.")
    return ComparisonRequest(
        out=out,
        recipes=tuple(recipes),
        splits=splits,
        settings=given,
        changes=changes,
        seed=seed,
    )


def fold_numbers(split: Split) -> Sequence[int | None]:
    """Return the folds of a split, in order; of one without folds `None` once."""
    if not split.is_folds:
        return (None,)
    return sorted(int(name.removeprefix("fold")) for name in split.parts if name != "novel")


def fold_folder(folder: Path, fold: int | None) -> Path:
    """Return where the training of a fold is, in the folder of its recipe."""
    return folder if fold is None else folder / f"fold{fold}"


def is_compared(folder: Path) -> bool:
    """Return whether the training in `folder` has ended and its test part is predicted."""
    return (folder / SECONDS).is_file()


def _known_settings(recipe: str, settings: Mapping[str, Any]) -> dict[str, Any]:
    known = set(type(find_recipe(recipe).settings).model_fields)
    return {name: value for name, value in settings.items() if name in known}


def _other_splits(there: Mapping[str, str], here: Mapping[str, str]) -> list[str]:
    if sorted(there) != sorted(here):
        return [f"protocols {', '.join(there)} there, {', '.join(here)} here"]
    changed = [protocol for protocol in here if there[protocol] != here[protocol]]
    return [f"the split {protocol} is of other images or parts" for protocol in changed]


def _shown(value: object) -> str:
    if isinstance(value, list):
        return ",".join(map(str, value))
    return json.dumps(value) if value != {} else "none"
