"""Single values of the files of annotation tools, each checked."""

from __future__ import annotations

import math
import os
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from finding_nemo.core.errors import AnnotationError, DatasetNotFoundError
from finding_nemo.core.files.text_files import read_text
from finding_nemo.core.text.cells import INT32_MAX, is_nothing, is_number, quoted
from finding_nemo.core.text.json_text import kind_of, parse_json
from finding_nemo.data.datasets.fields.coco_fields import whole_characters
from finding_nemo.data.datasets.reading_notes import Notes
from finding_nemo.data.datasets.tools.annotated_frame import FramePlace

# The longest accepted name of an animal has 55 letters; a text above this is no name.
MAX_NAME_CHARACTERS = 5_000


@contextmanager
def at_place(path: Path, where: str) -> Iterator[None]:
    """Give the place in the file to every fault that is found within the block.

    Raises:
        AnnotationError: In place of the one that is raised within, with the file and the place.
    """
    try:
        yield
    except AnnotationError as error:
        raise AnnotationError(f"{path}, {where}: {error}.") from None


def read_json(path: Path) -> Any:  # noqa: ANN401 - JSON values are of any type
    """Return what a JSON file says.

    Raises:
        DatasetNotFoundError: If there is no such file.
        AnnotationError: If it cannot be read as text, or is no JSON; with the line.
    """
    if not os.path.exists(path):
        raise DatasetNotFoundError(f"The file {path} does not exist.")
    return parse_json(read_text(path, refusal=AnnotationError), str(path), refusal=AnnotationError)


def object_of(value: object, key: str) -> Mapping[str, Any]:
    """Return a JSON object.

    Raises:
        AnnotationError: If it is anything else.
    """
    if not isinstance(value, dict):
        raise AnnotationError(f"{key} must be an object, got {kind_of(value)}")
    return value


def list_of(value: object, key: str) -> list[Any]:
    """Return a JSON list; null is an empty one.

    Raises:
        AnnotationError: If it is anything else.
    """
    if value is None:
        return []
    if not isinstance(value, list):
        raise AnnotationError(f"{key} must be a list, got {kind_of(value)}")
    return value


def label_name(value: object, key: str) -> str:
    """Return the name of a category without surrounding blanks.

    Raises:
        AnnotationError: If it is no text, empty, too long, or holds half a character.
    """
    text = value.strip() if isinstance(value, str) else ""
    if not text:
        raise AnnotationError(f"{key} must be the name of what is seen, got {_shown(value)}")
    if len(text) > MAX_NAME_CHARACTERS:
        raise AnnotationError(
            f"{key} has {len(text):,} characters; a name has {MAX_NAME_CHARACTERS:,} at most"
        )
    return whole_characters(text, key)


def _shown(value: object) -> str:
    return quoted(value) if isinstance(value, str | int | float) else kind_of(value)


def optional_text(value: object) -> str | None:
    """Return a text that may be there; anything else, and a word for nothing, is none."""
    if isinstance(value, int) and not isinstance(value, bool) and abs(value) <= INT32_MAX:
        value = str(value)
    if not isinstance(value, str) or is_nothing(value):
        return None
    return whole_characters(value.strip(), "a text")


def finite(value: object) -> float | None:
    """Return a number of JSON, or of a text that holds one, if it is finite and in 32 bits."""
    if isinstance(value, str) and is_number(value.strip()):
        value = float(value)
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    if isinstance(value, float) and not math.isfinite(value):
        return None
    return float(value) if abs(value) <= INT32_MAX else None


def finite_numbers(values: Iterable[object]) -> list[float] | None:
    """Return values as `finite` does, or `None` where one of them is no such number."""
    numbers = [finite(value) for value in values]
    known = [number for number in numbers if number is not None]
    return known if len(known) == len(numbers) else None


def size_px(value: object, notes: Notes) -> int | None:
    """Return a width or height in px; 0 is not known, and what cannot be one is noted."""
    number = finite(value)
    if value is None or value == "" or number == 0:
        return None
    if number is None or number < 0 or not number.is_integer():
        notes.add("widths or heights of frames are no numbers of pixels, and are left out", value)
        return None
    return int(number)


def place_of(depth: object, latitude: object, longitude: object, notes: Notes) -> FramePlace:
    """Return where a frame was filmed; what cannot be is left out and noted.

    Args:
        depth: Metres below the surface.
        latitude: In degrees.
        longitude: In degrees.
        notes: What counts the values that are left out.
    """
    north = _within(latitude, -90.0, 90.0, "latitudes", notes)
    east = _within(longitude, -180.0, 180.0, "longitudes", notes)
    if (north is None) != (east is None):
        notes.add("frames have half a position, which is left out", north if east is None else east)
        north = east = None
    return FramePlace(
        depth_m=_within(depth, 0.0, 12_000.0, "depths", notes), latitude=north, longitude=east
    )


def _within(value: object, low: float, high: float, what: str, notes: Notes) -> float | None:
    if value is None or (isinstance(value, str) and is_nothing(value)):
        return None
    number = finite(value)
    if number is None or not low <= number <= high:
        notes.add(f"{what} are outside {low:g} to {high:g} or no numbers, and are left out", value)
        return None
    return number + 0.0  # -0.0 becomes 0.0


def depth_of_altitude(value: object) -> object:
    """Return metres below the surface of metres above it; what is no number stays as it is."""
    number = finite(value)
    return value if number is None else 0.0 - number
