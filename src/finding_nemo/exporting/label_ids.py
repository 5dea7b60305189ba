"""Numbers of labels: categories keep theirs, groups get numbers above all of them."""

from __future__ import annotations

from dataclasses import dataclass

from finding_nemo.exporting.export_frame import ExportLabel, ExportSource


@dataclass(frozen=True, slots=True, kw_only=True)
class NumberedLabel:
    """A category or group with its number.

    Attributes:
        number: Unique among both.
        name: Its name.
        is_group: Whether it is a supercategory.
        group: The name of the group that a category belongs to, "" where there is none.
        parent: The number of that group, `None` where there is none.
    """

    number: int
    name: str
    is_group: bool = False
    group: str = ""
    parent: int | None = None


class LabelIds:
    """The categories of a source, their groups, and what frames bring beside them."""

    def __init__(self, source: ExportSource) -> None:
        """Number the groups in the order in which the categories name them."""
        self._next = max((each.category_id for each in source.categories), default=0) + 1
        self._found: dict[tuple[bool, str], NumberedLabel] = {}
        for each in source.categories:
            if each.supercategory:
                self._number(each.supercategory, is_group=True)
        for each in source.categories:
            group = self._found.get((True, each.supercategory))
            self._found.setdefault(
                (False, each.name),
                NumberedLabel(
                    number=each.category_id,
                    name=each.name,
                    group=each.supercategory,
                    parent=None if group is None else group.number,
                ),
            )

    def number_of(self, label: ExportLabel) -> int:
        """Return the number of a label; one that the source does not have gets the next."""
        return self._number(label.name, is_group=label.is_group).number

    def all(self) -> tuple[NumberedLabel, ...]:
        """Return groups and categories by number."""
        return tuple(sorted(self._found.values(), key=lambda each: each.number))

    def _number(self, name: str, *, is_group: bool) -> NumberedLabel:
        key = (is_group, name)
        if key not in self._found:
            self._found[key] = NumberedLabel(number=self._next, name=name, is_group=is_group)
            self._next += 1
        return self._found[key]
