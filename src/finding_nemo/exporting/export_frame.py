"""What is handed on of a frame, whatever the form: its labels, where it was filmed, who says so."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, time
from typing import Any, Literal
from urllib.parse import quote

from finding_nemo.data.filesystems.filesystem import is_web

Means = Literal["machine", "person"]
MACHINE: Means = "machine"
PERSON: Means = "person"
PROGRAM = "Finding Nemo"
_IS_QUOTED = re.compile(r"[%:\s]")


@dataclass(frozen=True, slots=True, kw_only=True)
class FramePosition:
    """Where a frame was filmed, as far as a file says it.

    Attributes:
        latitude: In degrees (WGS 84), north positive.
        longitude: In degrees, east positive.
        depth_m: Below the surface, 0 or more.
        height_m: Above the ground.
        uncertainty_m: Of the position, as its source states it.
        source: Which file or tag says so, "" where nothing does.
    """

    latitude: float | None = None
    longitude: float | None = None
    depth_m: float | None = None
    height_m: float | None = None
    uncertainty_m: float | None = None
    source: str = ""

    @property
    def is_on_map(self) -> bool:
        """Whether latitude and longitude are known."""
        return self.latitude is not None and self.longitude is not None


NOWHERE = FramePosition()


@dataclass(frozen=True, slots=True, kw_only=True)
class ExportLabel:
    """One animal, or group of animals, that somebody or something says is in a frame.

    Attributes:
        name: As the category table or the person calls it.
        means: Who says so: `MACHINE` or `PERSON`.
        is_group: Whether it is a supercategory.
        supercategory: Of a category, "" where it has none.
        category_id: Of a category of the table, `None` of others.
        probability: In [0, 1], `None` where a person says so.
        word: "sure", "likely" or "guess", "" where a person says so.
        reviewer: The person, "" where nobody says who.
        when: When the person looked, as written, "" where nobody says.
        method: Of adapted predictions, how the row came about; else "".
    """

    name: str
    means: Means = MACHINE
    is_group: bool = False
    supercategory: str = ""
    category_id: int | None = None
    probability: float | None = None
    word: str = ""
    reviewer: str = ""
    when: str = ""
    method: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class ExportFrame:
    """One frame with what is said of it.

    Attributes:
        image_id: Its id, unique.
        path: The file as the predictions name it.
        file_name: The same below the folder that all files share; unique as the path is.
        dive: Its dive, "" where unknown.
        captured: When it was filmed (UTC, no time zone attached), midnight where only the day is
            known; `None` where unknown.
        time_s: Seconds since its video's first frame, `None` where it is no frame of a video.
        width: In px, 0 where unknown.
        height: In px, 0 where unknown.
        position: Where it was filmed.
        labels: Those of a person first; a machine's that a person contradicts are not among them.
        is_reviewed: Whether a person looked at it.
    """

    image_id: str
    path: str
    file_name: str
    dive: str = ""
    captured: datetime | None = None
    time_s: float | None = None
    width: int = 0
    height: int = 0
    position: FramePosition = NOWHERE
    labels: tuple[ExportLabel, ...] = ()
    is_reviewed: bool = False

    @property
    def has_time_of_day(self) -> bool:
        """Whether more than the day is known."""
        return self.captured is not None and self.captured.time() != time.min

    @property
    def one_voice(self) -> tuple[ExportLabel, ...]:
        """The labels with each name once: a person's word stands before the machine's."""
        found: dict[str, ExportLabel] = {}
        for label in self.labels:
            found.setdefault(label.name, label)
        return tuple(found.values())

    @property
    def event_date(self) -> str:
        """The moment in ISO 8601 with "Z", the day alone where no more is known, or ""."""
        if self.captured is None:
            return ""
        if not self.has_time_of_day:
            return self.captured.date().isoformat()
        return moment_text(self.captured)


def moment_text(moment: datetime) -> str:
    """Return a moment of UTC in ISO 8601, to the millisecond where it has any."""
    spec = "milliseconds" if moment.microsecond else "seconds"
    return f"{moment.isoformat(timespec=spec)}Z"


@dataclass(frozen=True, slots=True, kw_only=True)
class ExportCategory:
    """One category of the predictions' table."""

    category_id: int
    name: str
    supercategory: str = ""


@dataclass(frozen=True, kw_only=True)
class ExportSource:
    """What all frames of an export have in common.

    Attributes:
        name: Of the predictions file, without suffix.
        categories: Its table, then the names that reviews brought.
        recipe: Of the model, "" where the file does not say.
        bundle_hash: Of the bundle, "" where the file does not say.
        version: Of the program that predicted, "" where the file does not say.
        predicted: When the predictions were made, "" where the file does not say.
        exported: When this export is made, ISO 8601 in UTC.
        about: What people say of the data set.
        metadata: All that the predictions file tells of itself.
    """

    name: str
    categories: tuple[ExportCategory, ...]
    recipe: str = ""
    bundle_hash: str = ""
    version: str = ""
    predicted: str = ""
    exported: str = ""
    about: Mapping[str, str] = field(default_factory=dict)
    metadata: Mapping[str, Any] = field(default_factory=dict)

    @property
    def model_name(self) -> str:
        """The program and its recipe, for people."""
        return f"{PROGRAM} {self.recipe}".strip()

    @property
    def model_reference(self) -> str:
        """The model with its version, so that it can be told from any other."""
        parts = [f"{PROGRAM} {self.version}".strip()]
        parts += [f"recipe {self.recipe}"] if self.recipe else []
        parts += [f"bundle {self.bundle_hash}"] if self.bundle_hash else []
        return ", ".join(parts)

    def address_of(self, frame: ExportFrame) -> str:
        """Return where the frame can be seen by others, "" where nobody values."""
        base = self.about.get("image_address", "")
        if base:
            return f"{base.rstrip('/')}/{address_path(frame.file_name)}"
        return frame.path if is_web(frame.path) else ""


def address_path(name: str) -> str:
    """Return a file's name as it stands in an address."""
    return quote(name.encode("utf-8", "surrogatepass"), safe="/")


def plain_text(text: str) -> str:
    """Return a text on one line, of characters that UTF-8 and XML can hold.

    Line breaks and tabs become blanks, other control characters and halves of characters "?".
    """
    if text.isprintable():
        return text
    kept = []
    for character in text:
        if character in "\t\n\r\x0b\x0c\x85\u2028\u2029":
            kept.append(" ")
        elif character < " " or "\x7f" <= character <= "\x9f" or "\ud800" <= character <= "\udfff":
            kept.append("?")
        else:
            kept.append("?" if character in "\ufffe\uffff" else character)
    return "".join(kept)


def id_text(text: str) -> str:
    """Return a text as part of an id: one to one, on one line, without ":", "%" and blanks."""
    if text.isprintable() and not _IS_QUOTED.search(text):
        return text
    return "".join(
        character
        if character.isprintable() and not character.isspace() and character not in "%:"
        else quote(character.encode("utf-8", "surrogatepass"), safe="")
        for character in text
    )
