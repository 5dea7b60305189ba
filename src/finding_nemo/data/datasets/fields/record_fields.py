"""The parts of an image record that the forms of a data set fill in the same way."""

from __future__ import annotations

import re
from datetime import datetime
from pathlib import Path

from finding_nemo.core.records import ImageRecord
from finding_nemo.core.text.cells import is_nothing
from finding_nemo.data.datasets.coco import CocoImage
from finding_nemo.data.datasets.dives import (
    DiveKey,
    compile_dive_pattern,
    dive_from_text,
    named_dive,
    parse_capture_time,
    parse_frame_name,
)
from finding_nemo.data.datasets.fields.path_spelling import slashed
from finding_nemo.data.datasets.reading_notes import Notes
from finding_nemo.data.filesystems.image_names import id_of_file
from finding_nemo.data.filesystems.name_text import text_of_name


def record_from_coco(
    image: CocoImage,
    image_id: str,
    *,
    path: Path,
    category_ids: tuple[int, ...] | None,
    origin: str,
    pattern: re.Pattern[str] | None,
    notes: Notes,
) -> ImageRecord:
    """Return the record of a COCO image whose labels and file are known."""
    source = image.url or text_of_name(slashed(image.file_name))
    key = _dive_key(image.vehicle, image.dive, source, pattern, notes)
    captured, time_known = _capture_time(image.captured, notes)
    sequence, frame_number = parse_frame_name(source)
    return ImageRecord(
        image_id=image_id,
        path=path,
        category_ids=category_ids,
        origin=origin,
        width=image.width,
        height=image.height,
        vehicle=key.vehicle,
        dive=key.dive,
        captured=captured,
        time_known=time_known,
        sequence=sequence,
        frame_number=frame_number,
        boxes=tuple(image.boxes),
        url=image.url,
    )


def record_from_row(
    values: dict[str, str],
    image_id: str,
    *,
    path: Path,
    name: str,
    category_ids: tuple[int, ...],
    origin: str,
    pattern: re.Pattern[str] | None,
    notes: Notes,
) -> ImageRecord:
    """Return the record of a CSV row whose labels and file are known."""
    source = values.get("url", "") or slashed(name)
    key = _dive_key(values.get("vehicle"), values.get("dive"), source, pattern, notes)
    captured, time_known = _capture_time(values.get("time") or values.get("date_captured"), notes)
    sequence, frame_number = parse_frame_name(slashed(name))
    return ImageRecord(
        image_id=image_id,
        path=path,
        category_ids=category_ids,
        origin=origin,
        vehicle=key.vehicle,
        dive=key.dive,
        captured=captured,
        time_known=time_known,
        sequence=sequence,
        frame_number=frame_number,
        url=values.get("url", "").strip(),
    )


def _dive_key(
    vehicle: str | None,
    dive: str | None,
    source: str,
    pattern: re.Pattern[str] | None,
    notes: Notes,
) -> DiveKey:
    dive = _told(dive, "dives", notes)
    if dive is None:
        return dive_from_text(source, pattern)
    return named_dive(_told(vehicle, "vehicles", notes), dive)


def _told(text: str | None, what: str, notes: Notes) -> str | None:
    """Return the text of a cell, or `None` for an empty one and for a word for nothing."""
    text = (text or "").strip()
    if not is_nothing(text):
        return text
    if text:
        notes.add(f"{what} are a word for nothing, taken as not known", text)
    return None


def _capture_time(text: str | None, notes: Notes) -> tuple[datetime | None, bool]:
    text = _told(text, "times", notes)
    found = parse_capture_time(text)
    if text is not None and found[0] is None:
        notes.add(
            "times are in no form that is read (2014-01-02T10:00:00Z), or outside the years 1800 "
            "to 2199; these images have no date",
            text,
        )
    return found


def record_of_path(path: Path, dive_pattern: str | None = None) -> ImageRecord:
    """Return what a file's path alone says of an image that no data set lists."""
    pattern = None if dive_pattern is None else compile_dive_pattern(dive_pattern)
    key = dive_from_text(text_of_name(path.as_posix()), pattern)
    sequence, frame_number = parse_frame_name(text_of_name(path.name))
    return ImageRecord(
        image_id=id_of_file(path.name),
        path=path,
        category_ids=None,
        origin="path",
        vehicle=key.vehicle,
        dive=key.dive,
        sequence=sequence,
        frame_number=frame_number,
    )
