"""The categories of a data set under the ids of the predictions that are judged by it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import replace

from finding_nemo.core.categories import Category, CategoryTable
from finding_nemo.core.records import Dataset, ImageRecord
from finding_nemo.results.schema import PredictionTable


def match_categories(
    predictions: PredictionTable, dataset: Dataset
) -> tuple[Dataset, tuple[str, ...]]:
    """Return the data set with its categories under the predictions' ids, and what was matched.

    A CSV of names numbers its own categories, so that equal ids may be other animals. Where a name
    stands under another id in the predictions, names decide. Where none does, ids decide, and
    names that differ are said. Done twice, the second time changes and says nothing new.

    Args:
        predictions: Their metadata name the bundle's categories; else nothing is changed.
        dataset: Holds the truth.

    Returns:
        The data set, the same object where nothing is changed, and notices.
    """
    guessed = _categories_of(predictions)
    if not guessed:
        return dataset, ()
    here = {one.category_id: one for one in dataset.categories.categories}
    moves = _moves(guessed, here)
    if moves:
        return _matched_by_name(dataset, guessed, moves)
    renamed = [n for n in here if n in guessed and guessed[n].name != here[n].name]
    missing = [one for number, one in guessed.items() if number not in here]
    if missing and not renamed and len(missing) < len(guessed):
        table = CategoryTable((*dataset.categories.categories, *missing))
        return replace(dataset, categories=table), (_never_there(missing),)
    return dataset, (_renamed(renamed, guessed, here),) if renamed else ()


def _categories_of(predictions: PredictionTable) -> dict[int, Category]:
    """Return by id what the predictions can name; empty where a name is unknown or used twice."""
    found = {}
    for entry in predictions.metadata.get("categories", ()):
        name, group = entry.get("name"), entry.get("supercategory")
        if not isinstance(name, str):
            return {}
        number = int(entry["category_id"])
        found[number] = Category(number, name, group if isinstance(group, str) else "none")
    return found if len(set(_ids_by_name(found))) == len(found) else {}


def _ids_by_name(categories: Mapping[int, Category]) -> dict[str, int]:
    """Return the id of each name that stands there once."""
    counts = Counter(one.name for one in categories.values())
    return {one.name: number for number, one in categories.items() if counts[one.name] == 1}


def _moves(guessed: Mapping[int, Category], here: Mapping[int, Category]) -> dict[int, int]:
    """Return from the data set's id to the predictions' where one name has two ids."""
    there = _ids_by_name(guessed)
    return {
        number: there[name]
        for name, number in _ids_by_name(here).items()
        if name in there and there[name] != number
    }


def _matched_by_name(
    dataset: Dataset, guessed: Mapping[int, Category], moves: Mapping[int, int]
) -> tuple[Dataset, tuple[str, ...]]:
    there = _ids_by_name(guessed)
    new_ids: dict[int, int] = {}
    strange: list[Category] = []
    first_free = max((*guessed, *dataset.categories.ids)) + 1
    for one in dataset.categories.categories:
        if one.name in there:
            new_ids[one.category_id] = there[one.name]
        else:
            new_ids[one.category_id] = first_free + len(strange)
            strange.append(replace(one, category_id=new_ids[one.category_id]))
    number, other = next(iter(moves.items()))
    notices = [
        f"The data set numbers {len(moves)} categories otherwise than the predictions (first: "
        f"{guessed[other].name!r}, {number} and {other}): they are matched by their names."
    ]
    if strange:
        notices.append(
            "Categories of the data set that the predictions cannot name: "
            f"{len(strange)} (first: {strange[0].name!r})."
        )
    records = tuple(_renumbered(record, new_ids) for record in dataset.records)
    table = CategoryTable((*guessed.values(), *strange))
    return replace(dataset, categories=table, records=records), tuple(notices)


def _renumbered(record: ImageRecord, new_ids: Mapping[int, int]) -> ImageRecord:
    if record.category_ids is None:
        return record
    return replace(
        record,
        category_ids=tuple(sorted({new_ids[number] for number in record.category_ids})),
        boxes=tuple(replace(box, category_id=new_ids[box.category_id]) for box in record.boxes),
    )


def _never_there(missing: list[Category]) -> str:
    return (
        "Categories of the predictions that the data set does not list: "
        f"{len(missing)} (first: {missing[0].name!r}). They count as in no image."
    )


def _renamed(
    renamed: list[int], guessed: Mapping[int, Category], here: Mapping[int, Category]
) -> str:
    first = renamed[0]
    return (
        "Categories that have another name in the data set than in the predictions, and are taken "
        f"as the same by their ids: {len(renamed)} (first: {first}, {here[first].name!r} and "
        f"{guessed[first].name!r})."
    )
