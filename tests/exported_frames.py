"""What several tests of `convert` share: predictions of a few frames, and odd frames drawn."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

import pyarrow as pa
from hypothesis import strategies as st

from finding_nemo.exporting.export_frame import (
    MACHINE,
    PERSON,
    ExportCategory,
    ExportFrame,
    ExportLabel,
    ExportSource,
    FramePosition,
)
from finding_nemo.exporting.export_job import ExportJob
from finding_nemo.results.schema import Columns
from finding_nemo.results.writers import write_tables

CATEGORIES = (
    {"category_id": 3, "name": "Chionoecetes tanneri", "supercategory": "Crab", "n_images": 9},
    {"category_id": 7, "name": "Aeolidiidae sp. 1", "supercategory": "Gastropod", "n_images": 4},
    {"category_id": 9, "name": "=HYPERLINK(1)", "supercategory": "none", "n_images": 1},
)
_NAMES = {each["category_id"]: str(each["name"]) for each in CATEGORIES}


def row(image_id: str, answer: str = "", **values: Any) -> dict[str, Any]:
    """Return a row of a predictions file that answers `answer`, surely unless told otherwise."""
    return {
        "image_id": image_id,
        "path": f"/data/frames/{image_id}.png",
        "width": 64,
        "height": 48,
        "categories": [3, 7, 9],
        "probabilities": [0.97, 0.5, 0.01],
        "novelty": 0.25,
        "answer": answer or "Chionoecetes tanneri",
        "answer_level": "category",
        "confidence": "sure",
        "answer_probability": 0.97,
        **values,
    }


def write_predictions(
    path: Path,
    rows: Sequence[Mapping[str, Any]],
    *,
    categories: Sequence[Mapping[str, Any]] = CATEGORIES,
    **more: object,
) -> Path:
    """Write a predictions file of `rows`; columns that a row does not name are empty.

    `more` stands in its metadata.
    """
    schema = Columns(3, with_vector=False, with_time=True).schema()
    schema = schema.append(pa.field("method", pa.string()))
    metadata = {
        "schema_version": 1,
        "version": "1.2.3",
        "recipe": "probe",
        "bundle_hash": "ab12",
        "ended": "2026-01-02T03:04:05+00:00",
        "categories": [dict(each) for each in categories],
        **more,
    }
    table = pa.Table.from_pylist([dict(each) for each in rows], schema=schema)
    write_tables(
        [table], path, schema=schema, metadata=lambda: metadata, fallback_ids=[3], overwrite=True
    )
    return path


def source(**about: str) -> ExportSource:
    """Return a source with three categories."""
    return ExportSource(
        name="dive",
        categories=(
            ExportCategory(category_id=3, name="Chionoecetes tanneri", supercategory="Crab"),
            ExportCategory(category_id=7, name="Aeolidiidae sp. 1", supercategory="Gastropod"),
            ExportCategory(category_id=9, name="=HYPERLINK(1)"),
        ),
        recipe="probe",
        bundle_hash="ab12",
        version="1.2.3",
        predicted="2026-01-02T03:04:05+00:00",
        exported="2026-01-03T00:00:00+00:00",
        about=about,
        metadata={"categories": CATEGORIES},
    )


def job(*, frame_boxes: bool = True, **about: str) -> ExportJob:
    """Return a job of that source."""
    return ExportJob(source=source(**about), frame_boxes=frame_boxes)


def frame(image_id: str = "a", **values: Any) -> ExportFrame:
    """Return a frame of a known place, time and size with one label of the machine."""
    return ExportFrame(
        **{
            "image_id": image_id,
            "path": f"/data/{image_id}.png",
            "file_name": f"{image_id}.png",
            "dive": "Ventana 12",
            "captured": datetime(2015, 5, 1, 10, 0, 1),
            "width": 64,
            "height": 48,
            "position": FramePosition(
                latitude=36.5, longitude=-122.25, depth_m=900.5, source="nav.csv"
            ),
            "labels": (machine("Chionoecetes tanneri", 3),),
            **values,
        }
    )


def machine(name: str, category_id: int | None = None, probability: float = 0.75) -> ExportLabel:
    """Return a label of the machine."""
    return ExportLabel(
        name=name, category_id=category_id, probability=probability, word="sure", means=MACHINE
    )


def person(name: str, reviewer: str = "Ada", when: str = "2026-02-01T00:00:00Z") -> ExportLabel:
    """Return a label of a person."""
    return ExportLabel(name=name, means=PERSON, reviewer=reviewer, when=when)


# Formulas, markup, quotes, line breaks, control and right-to-left characters, nothing at all.
ODD_TEXTS = st.one_of(
    st.sampled_from(
        [
            *("=1+1", "@SUM(A1)", "-2", "+3", '"', "'", "a,b;c\td", "a\r\nb", "<b>&amp;</b>"),
            *("$x^2$", "\x00\x1f", "\u202eabc", "é", "e\u0301", "🐙", " blank ", "%41", "a:b"),
            *("../../etc/passwd", "NaN", "null", "]]>", "\u2028", "\ufffe", "x" * 300),
        ]
    ),
    st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=12),
)
_NUMBERS = st.floats(allow_nan=False, allow_infinity=False)
_POSITIONS = st.builds(
    FramePosition,
    latitude=st.none() | st.floats(-90, 90),
    longitude=st.none() | st.floats(-180, 180),
    depth_m=st.none() | st.floats(0, 1e300),
    height_m=st.none() | _NUMBERS,
    uncertainty_m=st.none() | st.floats(0, 1e9),
    source=st.just("nav.csv"),
)
_LABELS = st.builds(
    ExportLabel,
    name=ODD_TEXTS | st.sampled_from(sorted(_NAMES.values())),
    means=st.sampled_from([MACHINE, PERSON]),
    is_group=st.booleans(),
    supercategory=st.just("") | ODD_TEXTS,
    probability=st.none() | st.floats(0, 1),
    word=st.sampled_from(["sure", "likely", ""]),
    reviewer=st.just("") | ODD_TEXTS,
    when=st.just("") | ODD_TEXTS | st.just("2026-02-01"),
)


@st.composite
def odd_frames(draw: st.DrawFn) -> list[ExportFrame]:
    """Return up to four frames with odd names, places, times and labels; ids are apart."""
    ids = draw(st.lists(ODD_TEXTS, max_size=4, unique=True))
    return [
        ExportFrame(
            image_id=image_id,
            path=draw(ODD_TEXTS),
            file_name=f"{number}/{draw(ODD_TEXTS)}",
            dive=draw(st.just("") | ODD_TEXTS),
            captured=draw(st.none() | st.datetimes(datetime(1800, 1, 1), datetime(2199, 12, 31))),
            time_s=draw(st.none() | st.floats(0, 1e6)),
            width=draw(st.integers(0, 10**6)),
            height=draw(st.integers(0, 10**6)),
            position=draw(_POSITIONS),
            labels=tuple(
                draw(st.lists(_LABELS, max_size=3, unique_by=lambda each: (each.means, each.name)))
            ),
        )
        for number, image_id in enumerate(ids)
    ]
