"""Pages that stand alone: one HTML file with its style, figures and thumbnails inside."""

from __future__ import annotations

import base64
import io
import math
import os
from pathlib import Path
from typing import Any

import jinja2
from markupsafe import Markup
from PIL import Image

from finding_nemo.core.errors import ImageError
from finding_nemo.core.files.atomic_files import refuse_existing, write_text
from finding_nemo.core.provenance import now_utc, package_version
from finding_nemo.core.text.intervals import interval_in_words
from finding_nemo.core.text.plurals import in_number
from finding_nemo.core.text.printable import printable
from finding_nemo.data.images.decode import decode_image

_JPEG_QUALITY = 78


def write_page(
    template: str,
    path: Path,
    *,
    overwrite: bool = False,
    **values: Any,  # noqa: ANN401
) -> None:
    """Fill a template and write it as one file.

    Args:
        template: A file of `templates/`.
        path: The page.
        overwrite: Whether an existing page may be replaced.
        values: What the template needs.

    Raises:
        OutputExistsError: If the page exists and `overwrite` is false.
    """
    refuse_existing(path, overwrite=overwrite)
    environment = jinja2.Environment(
        loader=jinja2.PackageLoader("finding_nemo.reporting"),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        finalize=_readable,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters.update(
        score=format_score, count=format_count, share=format_share, in_number=in_number
    )
    environment.globals.update(interval=interval_in_words)
    made = {"version": package_version(), "made_at": now_utc()}
    write_text(path, environment.get_template(template).render(**made, **values))


def _readable(value: object) -> object:
    """Return what a template shows: text of users without control characters."""
    if isinstance(value, str) and not isinstance(value, Markup):
        return printable(value)
    return value


def format_score(value: float | None) -> str:
    """Return a score with three digits, or a dash where there is none."""
    return "–" if value is None or math.isnan(value) else f"{value:.3f}"  # noqa: RUF001


def format_count(value: int | None) -> str:
    """Return a count with commas, or a dash where it is unknown."""
    return "–" if value is None else f"{value:,}"  # noqa: RUF001


def format_share(value: float | None) -> str:
    """Return a share as a percentage, or a dash where there is none."""
    return "–" if value is None or math.isnan(value) else f"{100 * value:.1f} %"  # noqa: RUF001


def svg(text: str) -> Markup:
    """Mark SVG that we drew as safe to put into a page."""
    return Markup(text)  # noqa: S704 - drawn by matplotlib from numbers and escaped labels


def thumbnail(path: Path, *, width_px: int = 360) -> str | None:
    """Return a small JPEG of an image file as a data URI; `None` if it cannot be read."""
    try:
        if not os.path.isfile(path):
            return None
        decoded = decode_image(path)
    except ImageError:
        return None
    image = Image.fromarray(decoded.pixels)
    image.thumbnail((width_px, width_px), Image.Resampling.BILINEAR)
    buffer = io.BytesIO()
    image.save(buffer, "JPEG", quality=_JPEG_QUALITY)
    return "data:image/jpeg;base64," + base64.b64encode(buffer.getvalue()).decode("ascii")
