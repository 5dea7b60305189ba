"""The parts of an image record that all three forms of a data set fill in the same way."""

from __future__ import annotations

import re
from pathlib import Path

from finding_nemo.core.records import ImageRecord
from finding_nemo.data.coco import CocoImage
from finding_nemo.data.dives import (
    compile_dive_pattern,
    dive_from_text,
    named_dive,
    parse_capture_time,
    parse_frame_name,
)
from finding_nemo.data.image_names import id_of_file
from finding_nemo.data.name_text import text_of_name
from finding_nemo.data.spelling import slashed


def record_from_coco(
    image: CocoImage,
    image_id: str,
    *,
    path: Path,
    category_ids: tuple[int, ...] | None,
    origin: str,
    pattern: re.Pattern[str] | None,
) -> ImageRecord:
    """Return the record of a COCO image whose labels and file are known."""
    source = image.url or text_of_name(slashed(image.file_name))
    key = named_dive(image.vehicle, image.dive) if image.dive else dive_from_text(source, pattern)
    captured, time_known = parse_capture_time(image.captured)
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
) -> ImageRecord:
    """Return the record of a CSV row whose labels and file are known."""
    dive = values.get("dive", "").strip()
    key = (
        named_dive(values.get("vehicle", "").strip() or None, dive)
        if dive
        else dive_from_text(values.get("url", "") or slashed(name), pattern)
    )
    captured, time_known = parse_capture_time(values.get("time") or values.get("date_captured"))
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
    )


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
