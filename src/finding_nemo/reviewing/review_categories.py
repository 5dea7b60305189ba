"""The categories of a session: those of the predictions, and those that reviews brought."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from finding_nemo.adaptation.files.review_state import NEW_SUPERCATEGORY
from finding_nemo.adaptation.files.reviews import MAX_NAME
from finding_nemo.core.errors import AnnotationError, ReviewsError
from finding_nemo.core.text.cells import is_number, quoted
from finding_nemo.core.text.name_key import name_key
from finding_nemo.core.text.printable import printable
from finding_nemo.data.datasets.fields.label_cells import take_apart
from finding_nemo.reviewing.review_store import NamedCategory, NewReview


class ReviewCategories:
    """From what a reviewer writes to categories; an unknown name becomes a new one.

    The id of a new name is its own for good, even where the review that brought it is taken back.
    """

    def __init__(self, entries: Sequence[Mapping[str, Any]], reviews: Iterable[NewReview]) -> None:
        """Begin with a table and what was reviewed before.

        Args:
            entries: The category table of the predictions, JSON-ready, in column order.
            reviews: Every review so far, in order, those taken back among them.
        """
        self._entries = tuple(entries)
        self._names = {
            int(entry["category_id"]): str(entry.get("name", f"category {entry['category_id']}"))
            for entry in entries
        }
        self._table_ids = frozenset(self._names)
        self._counts = Counter(self._names.values())
        self._folded: dict[str, list[int]] = {}
        for number, name in self._names.items():
            self._folded.setdefault(name_key(name), []).append(number)
        for review in reviews:
            self.register((*review.categories, *review.rejected))

    def resolve(self, items: Iterable[int | str]) -> list[NamedCategory]:
        """Return the category that each item means; names that nobody used yet get the next ids.

        Nothing is kept of them before `register`.

        Args:
            items: Ids of the table, or names of any kind.

        Raises:
            ReviewsError: If an id is unknown, a name stands for several categories, or a new name
                is none.
        """
        found: list[NamedCategory] = []
        fresh: dict[str, NamedCategory] = {}
        for item in items:
            category = self._known(item)
            if category is None:
                name = _checked(str(item).strip())
                number = max(self._names) + 1 + len(fresh)
                category = fresh.setdefault(name_key(name), NamedCategory(number, name))
            found.append(category)
        return found

    def register(self, categories: Iterable[NamedCategory]) -> list[NamedCategory]:
        """Keep the new ones among some categories, and return those."""
        new = [c for c in dict.fromkeys(categories) if c.category_id not in self._names]
        for category in new:
            self._names[category.category_id] = category.name
            self._folded.setdefault(name_key(category.name), []).append(category.category_id)
        return new

    def entries(self, reviews: Iterable[NewReview]) -> list[Mapping[str, Any]]:
        """Return the category table, JSON-ready, with the new ones that reviews hold behind it.

        They stand in the order in which `adapt` meets them in the table of these reviews.

        Args:
            reviews: The reviews that count, in order.
        """
        used = (c.category_id for review in reviews for c in (*review.categories, *review.rejected))
        new = dict.fromkeys(number for number in used if number not in self._table_ids)
        return [*self._entries, *(_entry(number, self._names[number]) for number in new)]

    def is_new(self, category_id: int) -> bool:
        """Whether a review brought a category."""
        return category_id not in self._table_ids

    def needs_id(self, name: str) -> bool:
        """Whether a name of the table does not tell which category is meant."""
        return self._counts[name] > 1

    @property
    def has_numbers_for_names(self) -> bool:
        """Whether an id could be taken for a name."""
        return any(is_number(name) for name in self._names.values())

    def _known(self, item: int | str) -> NamedCategory | None:
        if isinstance(item, int):
            if item not in self._names:
                raise ReviewsError(
                    f"There is no category {item}. Give an id of the table, or a name to add a "
                    "category."
                )
            return NamedCategory(item, self._names[item])
        name = item.strip()
        numbers = self._folded.get(name_key(name), [])
        exact = [number for number in numbers if self._names[number] == name]
        chosen = exact if len(exact) == 1 else numbers
        if len(chosen) > 1:
            raise ReviewsError(
                f"{quoted(name)} is the name of {len(chosen)} categories; give the id of one of "
                f"them: {', '.join(map(str, chosen))}."
            )
        return NamedCategory(chosen[0], self._names[chosen[0]]) if chosen else None


def _entry(number: int, name: str) -> Mapping[str, Any]:
    return {
        "category_id": number,
        "name": name,
        "supercategory": NEW_SUPERCATEGORY,
        "n_images": 0,
        "n_dives": 0,
        "validation_ap": None,
    }


def _checked(name: str) -> str:
    """Return a new name if a table of reviews can hold it and reads it back as the same."""
    if not name:
        raise ReviewsError("A category needs a name; an empty one is none.")
    if len(name) > MAX_NAME:
        raise ReviewsError(f"A name of {len(name)} characters is none; {MAX_NAME} is the most.")
    if is_number(name):
        raise ReviewsError(f"{quoted(name)} is a number; give a name to add a category.")
    if printable(name) != name:
        raise ReviewsError(
            f"{quoted(printable(name))} holds characters that nobody sees. Type the name anew."
        )
    try:
        is_same = take_apart(as_list([name])).parts == (name,)
    except AnnotationError:
        is_same = False
    if not is_same:
        raise ReviewsError(f"{quoted(name)} cannot be the name of a category. Give another one.")
    return name


def as_list(texts: Sequence[str]) -> str:
    """Return names as one cell of a table that is read back as the same names."""
    return json.dumps(list(texts), ensure_ascii=False)
