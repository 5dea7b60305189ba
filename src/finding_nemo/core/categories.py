"""The fixed order of categories: column `j` of every score matrix is category `ids[j]`."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import numpy.typing as npt

from finding_nemo.core.errors import DatasetError
from finding_nemo.core.text.short_repr import ShortRepr


@dataclass(frozen=True, slots=True)
class Category:
    """One kind of animal (or thing) that a frame can hold.

    Attributes:
        category_id: FathomNet's number, 1..290 in the competition.
        name: The concept's name.
        supercategory: The coarse group it belongs to.

    Example:
        >>> Category(9, "Chionoecetes", "Crustacea").name
        'Chionoecetes'
    """

    category_id: int
    name: str
    supercategory: str


@dataclass(frozen=True, repr=False)
class CategoryTable(ShortRepr):
    """Categories in column order.

    Attributes:
        categories: One entry a column.

    Example:
        >>> table = CategoryTable((Category(9, "crab", "Crustacea"),))
        >>> table.column_of(9), table.names
        (0, ('crab',))
    """

    categories: tuple[Category, ...]

    def __post_init__(self) -> None:
        if not self.categories:
            raise DatasetError("The category table is empty; it needs at least one category.")
        counts = Counter(category.category_id for category in self.categories)
        repeated = sorted(category_id for category_id, count in counts.items() if count > 1)
        if repeated:
            raise DatasetError(f"Category ids must be unique; repeated: {repeated[:10]}.")

    def __len__(self) -> int:
        return len(self.categories)

    def facts(self) -> Mapping[str, object]:
        """Return how many there are, and the first."""
        more = ", ..." if len(self) > 3 else ""
        return {
            "categories": len(self),
            "supercategories": len(set(self.supercategories)),
            "names": ", ".join(self.names[:3]) + more,
        }

    @cached_property
    def ids(self) -> tuple[int, ...]:
        """Category ids in column order."""
        return tuple(category.category_id for category in self.categories)

    @cached_property
    def names(self) -> tuple[str, ...]:
        """Category names in column order."""
        return tuple(category.name for category in self.categories)

    @cached_property
    def supercategories(self) -> tuple[str, ...]:
        """The supercategory of each column (repeats included)."""
        return tuple(category.supercategory for category in self.categories)

    @cached_property
    def columns(self) -> dict[int, int]:
        """From category id to column."""
        return {category_id: column for column, category_id in enumerate(self.ids)}

    def column_of(self, category_id: int) -> int:
        """Return the column of `category_id`.

        Raises:
            DatasetError: If the table does not hold it.
        """
        try:
            return self.columns[category_id]
        except KeyError:
            raise DatasetError(
                f"Category id {category_id} is not in the category table, which holds "
                f"{len(self)} ids from {min(self.ids)} to {max(self.ids)}."
            ) from None

    def multi_hot(self, id_sets: Iterable[Sequence[int]]) -> npt.NDArray[np.bool_]:
        """Return the truth matrix of `id_sets`, shape (images, categories)."""
        rows = list(id_sets)
        truth = np.zeros((len(rows), len(self)), dtype=np.bool_)
        for row, category_ids in enumerate(rows):
            for category_id in category_ids:
                truth[row, self.column_of(category_id)] = True
        return truth
