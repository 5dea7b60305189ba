"""What a person is told who types the name of an earlier version."""

from __future__ import annotations

from collections.abc import Iterable

from finding_nemo.core.names.renamed_names import RENAMED_RECIPES, RENAMED_SETTINGS


def renamed_faults(keys: Iterable[str]) -> list[str]:
    """Return one line for each setting of `keys` that has another name now.

    Example:
        >>> renamed_faults({"pastes": 2.0, "epochs": 3})
        ["'pastes' was renamed to 'copy_paste'"]
    """
    return [_line(key, RENAMED_SETTINGS[key]) for key in keys if key in RENAMED_SETTINGS]


def renamed_recipe_fault(name: str) -> str | None:
    """Return the line for a recipe that has another name now; `None` if it has not.

    Example:
        >>> renamed_recipe_fault("places")
        "'places' was renamed to 'patches'"
    """
    return _line(name, RENAMED_RECIPES[name]) if name in RENAMED_RECIPES else None


def _line(old: str, new: str) -> str:
    return f"{old!r} was renamed to {new!r}"
