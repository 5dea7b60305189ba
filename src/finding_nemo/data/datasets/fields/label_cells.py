"""The text of a `categories` cell into its parts, whatever program wrote it.

Read are "[1.0, 9.0]", "1 9", "['crab', 'fish']", '["crab", "fish"]', "crab;fish", "crab|fish" and
"crab, fish". Every step goes once along the text, so a long cell costs no more than its length.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import Enum

from finding_nemo.core.errors import AnnotationError
from finding_nemo.core.text.cells import INT32_MAX, is_nothing, is_number, quoted

# 290 names of 100 letters are 29,000.
MAX_CELL_CHARACTERS = 100_000
_BRACKETS = {"[": "]", "(": ")", "{": "}"}
_SEPARATORS = re.compile(r"[;|\t\r\n]")  # one character: a class cannot be tried in two ways
_CONSTRUCTORS = frozenset({"array", "set", "frozenset", "Index"})
_EMPTY = frozenset({"[]", "()", "{}", "set()", "array([])"})
_BETWEEN = frozenset(" \t\r\n,;|")


class CellForm(Enum):
    """How a cell says where one category ends and the next begins."""

    ONE = "one"
    NUMBERS = "numbers"
    LIST = "list"
    SEPARATORS = "separators"
    COMMAS = "commas"


@dataclass(frozen=True, slots=True)
class Cell:
    """A cell, taken apart.

    Attributes:
        whole: The cell without surrounding blanks.
        parts: The names or ids in it, in order, words for nothing (nan, None) left out.
        form: How they were told apart; only `COMMAS` is open to doubt, since names may hold
            commas themselves.
        n_nothing: How many words for nothing were left out; an empty cell has none.
    """

    whole: str
    parts: tuple[str, ...]
    form: CellForm
    n_nothing: int = 0

    @property
    def is_numbers(self) -> bool:
        """Whether every part is a number; so it is where there is none."""
        return all(map(is_number, self.parts))


def take_apart(text: str) -> Cell:
    """Return the parts of a cell.

    Raises:
        AnnotationError: If it is too long, or a list that does not end as it began.
    """
    if len(text) > MAX_CELL_CHARACTERS:
        raise AnnotationError(
            f"a cell of {len(text):,} characters is no list of categories; "
            f"{MAX_CELL_CHARACTERS:,} is the most"
        )
    whole = text.strip()
    if whole in _EMPTY:
        return Cell(whole, (), CellForm.LIST)
    if is_nothing(whole):
        return Cell(whole, (), CellForm.ONE, n_nothing=int(bool(whole)))
    found, form = _parts(_without_constructor(whole))
    stripped = [part.strip() for part in found]
    parts = tuple(part for part in stripped if not is_nothing(part))
    return Cell(whole, parts, form, sum(map(bool, stripped)) - len(parts))


def _parts(text: str) -> tuple[list[str], CellForm]:
    inner = _inside_brackets(text)
    if inner is not None:
        words = _words(inner)
        if all(map(is_number, words)):
            return words, CellForm.LIST
        items = _items(inner, bare_words=True)
        if items is None:
            raise AnnotationError(f"{quoted(text)} is a list whose quotes do not fit")
        return items, CellForm.LIST
    words = _words(text.replace(";", " ").replace("|", " "))
    if all(map(is_number, words)):
        return words, CellForm.NUMBERS
    items = _items(text, bare_words=False)
    if items is not None:
        return items, CellForm.LIST
    if _SEPARATORS.search(text):
        return _SEPARATORS.split(text), CellForm.SEPARATORS
    return (text.split(","), CellForm.COMMAS) if "," in text else ([text], CellForm.ONE)


def _without_constructor(text: str) -> str:
    """Return the list in `array([1, 9], dtype=int32)` or `{...}` of `frozenset({...})`."""
    name, bracket, inner = text.partition("(")
    if name not in _CONSTRUCTORS or not bracket or not text.endswith(")"):
        return text
    end = max(inner.rfind(closing) for closing in _BRACKETS.values() if closing != ")")
    return inner[: end + 1] if inner[:1] in ("[", "{") and end > 0 else text


def _words(text: str) -> list[str]:
    return text.replace(",", " ").split()


def _inside_brackets(text: str) -> str | None:
    """Return what stands in the brackets around all of `text`; `None` where it is no list."""
    closing = _BRACKETS.get(text[0])
    if closing is None:
        return None
    inner = text[1:].removesuffix(closing).strip()
    is_certain = inner[:1] in ("'", '"') or is_number(_words(f"{inner} .")[0])
    if not text.endswith(closing) or len(text) == 1:
        if is_certain:
            raise AnnotationError(f"{quoted(text)} is a list without its {closing!r}")
        return None
    if inner[:1] == text[0]:
        raise AnnotationError(f"{quoted(text)} is a list in a list")
    # A name may have brackets: (juvenile), [red] crab [blue].
    has_more = any(bracket in inner for bracket in "[](){}")
    looks_like_list = not has_more and (text[0] == "[" or "," in inner)
    return inner if is_certain or looks_like_list else None


def _items(text: str, *, bare_words: bool) -> list[str] | None:
    """Return the items of `'crab', "fish"`, or `None` if it is not all such items.

    Args:
        text: The list without its brackets.
        bare_words: Whether items without quotes may stand between (`'crab', None`).
    """
    items = []
    position, is_parted = 0, True
    while position < len(text):
        if text[position] in _BETWEEN:
            is_parted = is_parted or not text[position].isspace()
            position += 1
        elif text[position] in "'\"":
            end = _closing_quote(text, position)
            if end is None:
                return None
            items.append(_unescaped(text[position + 1 : end]))
            position, is_parted = end + 1, False
        elif bare_words and is_parted:
            end = next((n for n in range(position, len(text)) if text[n] in ",;|"), len(text))
            items.append(text[position:end])
            position, is_parted = end, False
        else:
            return None
    return items


def _closing_quote(text: str, start: int) -> int | None:
    """Return where the quote that opens at `start` closes; a backslash guards what follows it."""
    position = start + 1
    while position < len(text):
        if text[position] == "\\":
            position += 1
        elif text[position] == text[start]:
            return position
        position += 1
    return None


def _unescaped(text: str) -> str:
    return "".join(_characters(text)) if "\\" in text else text


def _characters(text: str) -> Iterator[str]:
    characters = iter(text)
    for character in characters:
        yield next(characters, "") if character == "\\" else character


def category_id(value: object) -> int:
    """Return a category id that a file wrote as `9`, `9.0` or `"9.0"`.

    Raises:
        AnnotationError: If it is no whole number from 0 to 2,147,483,647 (32 bits).
    """
    number = whole_number(value)
    if not 0 <= number <= INT32_MAX:
        raise AnnotationError(
            f"category id {quoted(value)} is outside 0 to {INT32_MAX} (32 bits), in which ids are "
            "kept; number the categories anew"
        )
    return number


def whole_number(value: object) -> int:
    """Return a whole number that a file wrote as `9`, `9.0` or `"9.0"`.

    Raises:
        AnnotationError: If it is no whole number.
    """
    if isinstance(value, int) and not isinstance(value, bool):
        return value
    is_text = isinstance(value, str) and is_number(value.strip())
    if not is_text and not isinstance(value, float):
        raise AnnotationError(f"{quoted(value)} is not a number")
    number = float(value)  # type: ignore[arg-type] # text or a float, as was asked above
    if not number.is_integer():
        raise AnnotationError(f"{quoted(value)} is not a whole number")
    return int(number)


def parse_category_ids(text: str) -> list[int]:
    """Return the ids of a cell in the order written, repeats kept; an empty cell gives none.

    Raises:
        AnnotationError: If the cell holds anything but numbers.
    """
    return ids_of(take_apart(text))


def ids_of(cell: Cell) -> list[int]:
    """Return the ids of a cell, taken apart.

    Raises:
        AnnotationError: If it holds anything but numbers.
    """
    if not cell.is_numbers:
        raise AnnotationError(
            f"{quoted(cell.whole)} is not a list of category ids such as [1.0, 9.0]"
        )
    return [category_id(part) for part in cell.parts]


def known_ids(ids: list[int], columns: Mapping[int, int]) -> tuple[int, ...]:
    """Return the distinct ids in ascending order.

    Raises:
        AnnotationError: If one of them is not a key of `columns`.
    """
    unknown = sorted({category_id for category_id in ids if category_id not in columns})
    if unknown:
        raise AnnotationError(
            f"category id {unknown[0]} is not in the category table, which holds {len(columns)} "
            f"ids from {min(columns)} to {max(columns)}"
        )
    return tuple(sorted(set(ids)))


def without_decimal_commas(texts: list[str]) -> list[str]:
    """Return the cells of a column with "9,0" as "9", if it has such cells and single numbers only.

    For tables whose cells are separated by ";" or tabs, where programs write 9.0 so.
    """
    whole = [text.strip().removesuffix(",0") for text in texts]
    return whole if all(is_number(text) or is_nothing(text) for text in whole) else texts
