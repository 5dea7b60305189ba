"""What to do where a data set's images are not here, but its annotations say where they are."""

from __future__ import annotations

import shlex

from finding_nemo.core.records import Dataset


def fetch_hint(dataset: Dataset) -> str:
    """Return a sentence with the command that fetches the images; "" without any address."""
    n_addresses = sum(bool(record.url) for record in dataset.records)
    if not n_addresses:
        return ""
    source = "ANNOTATIONS" if dataset.source is None else shlex.quote(str(dataset.source.path))
    return (
        f"The annotations give the addresses of {n_addresses:,} images: fetch them with "
        f"`finding-nemo fetch {source} --out DIR`, and name that folder with --images DIR."
    )
