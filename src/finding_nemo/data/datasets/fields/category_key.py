"""`category_key.csv`: which id is which category of which supercategory."""

from __future__ import annotations

from pathlib import Path

from finding_nemo.core.categories import Category, CategoryTable
from finding_nemo.core.errors import AnnotationError
from finding_nemo.data.datasets.csv_rows import read_csv_rows
from finding_nemo.data.datasets.fields.label_cells import category_id


def read_category_key(path: Path) -> CategoryTable:
    """Read the table; its order is the column order.

    Raises:
        DatasetNotFoundError: If there is no such file.
        AnnotationError: If a line cannot be read, or an id is there twice; with the line.
    """
    categories: dict[int, Category] = {}
    for row in read_csv_rows(path, required=("id", "name", "supercat")):
        try:
            number = category_id(row.values["id"])
        except AnnotationError as error:
            raise AnnotationError(f"{path}, line {row.line}: id {error}.") from None
        if number in categories:
            raise AnnotationError(
                f"{path}, line {row.line}: category id {number} is there already."
            )
        name, supercategory = row.values["name"].strip(), row.values["supercat"].strip()
        if not name:
            raise AnnotationError(f"{path}, line {row.line}: category {number} has no name.")
        categories[number] = Category(number, name, supercategory or "none")
    if not categories:
        raise AnnotationError(f"{path} lists no category.")
    return CategoryTable(tuple(categories.values()))
