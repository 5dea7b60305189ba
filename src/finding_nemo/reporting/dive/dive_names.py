"""The names of answers and guesses, each once, from whatever a predictions file says of them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from finding_nemo.reporting.dive.dive_frames import Name


class DiveNames:
    """Names by category id and by text; groups that only answers name come last."""

    def __init__(self, entries: Sequence[Mapping[str, Any]]) -> None:
        """Begin with the category table of the file's metadata, which may be empty."""
        self._all = [_name_of(entry) for entry in entries]
        self._of_id = {int(entry["category_id"]): place for place, entry in enumerate(entries)}
        self._of_text: dict[str, int] = {}
        for place, name in enumerate(self._all):
            self._of_text.setdefault(name.text, place)

    def of_id(self, category_id: int, text: str = "") -> int:
        """Return the position of a category, which a table may not have: then `text` names it."""
        found = self._of_id.get(category_id)
        if found is None:
            found = self._of_id[category_id] = self._add(text or f"category {category_id}")
        return found

    def of_text(self, text: str, rank: str = "") -> int:
        """Return the position of a name; of a new one, `rank` is its rank."""
        found = self._of_text.get(text)
        return self._add(text, rank) if found is None else found

    @property
    def all(self) -> tuple[Name, ...]:
        """Every name, in order of position."""
        return tuple(self._all)

    def _add(self, text: str, rank: str = "") -> int:
        self._all.append(Name(text=text, rank=rank))
        self._of_text.setdefault(text, len(self._all) - 1)
        return len(self._all) - 1


def _name_of(entry: Mapping[str, Any]) -> Name:
    name, group = entry.get("name"), entry.get("supercategory")
    return Name(
        text=name if isinstance(name, str) and name else f"category {entry['category_id']}",
        supercategory=group if isinstance(group, str) else "",
        n_images=count_or_none(entry.get("n_images")),
        n_dives=count_or_none(entry.get("n_dives")),
    )


def count_or_none(value: object) -> int | None:
    """Return a whole number of JSON, `None` for anything else."""
    return value if isinstance(value, int) and not isinstance(value, bool) else None
