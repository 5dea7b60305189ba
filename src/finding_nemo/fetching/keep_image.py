"""An image that came, under its own name and in the journal."""

from __future__ import annotations

import hashlib
from datetime import UTC, datetime
from pathlib import Path

from finding_nemo.core.files.atomic_files import raise_output_error, rename_durably
from finding_nemo.fetching.fathomnet.fathomnet_api import ImageFacts
from finding_nemo.fetching.fetch_plan import WantedImage
from finding_nemo.fetching.fetched_list import FetchedImage
from finding_nemo.fetching.transfer.unfinished_file import UnfinishedFile
from finding_nemo.fetching.verify_image import VerifiedImage


def fetched_image(
    image: WantedImage, url: str, found: VerifiedImage, facts: ImageFacts | None = None
) -> FetchedImage:
    """Return the journal's line of an image.

    Args:
        image: What was wanted.
        url: Where it came from; "" if it was here.
        found: What the file is.
        facts: What FathomNet says of it, if it was asked.
    """
    recorded = (image.width, image.height)
    is_other = None not in recorded and recorded != (found.width, found.height)
    return FetchedImage(
        file=image.file,
        image_id=image.image_id,
        url=url,
        asked_url=image.url,
        sha256=found.sha256,
        n_bytes=found.n_bytes,
        width=found.width,
        height=found.height,
        fetched=datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
        depth_m=facts.depth_m if facts else None,
        latitude=facts.latitude if facts else None,
        longitude=facts.longitude if facts else None,
        note=f"the annotations say {image.width} x {image.height} px" if is_other else "",
    )


def give_name(unfinished: UnfinishedFile, path: Path) -> None:
    """Give a file that is whole its own name, so that it is there whole or not at all.

    Raises:
        OutputError: If the name cannot be written.
    """
    with raise_output_error(path):
        path.parent.mkdir(parents=True, exist_ok=True)
        rename_durably(unfinished.path, path)
    unfinished.discard()


def sha256_of(path: Path) -> str:
    """Return the SHA-256 of a file's bytes."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
