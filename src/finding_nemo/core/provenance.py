"""The provenance of each output: version, command, settings, time."""

from __future__ import annotations

import hashlib
import os
import platform
import sys
from datetime import UTC, datetime
from importlib import metadata
from pathlib import Path
from typing import Any

from finding_nemo.core.records import Dataset, DatasetSource

_CHUNK_BYTES = 1 << 20


def package_version() -> str:
    """Return the installed version of Finding Nemo."""
    try:
        return metadata.version("finding-nemo")
    except metadata.PackageNotFoundError:
        return "0+unknown"


def now_utc() -> str:
    """Return the present time as ISO 8601 in UTC, to the second."""
    return datetime.now(UTC).replace(microsecond=0).isoformat()


def command_line() -> str:
    """Return the command that runs, with the program's name instead of its full path."""
    return " ".join([Path(sys.argv[0]).name, *sys.argv[1:]])


def library_versions(*names: str) -> dict[str, str]:
    """Return the installed version of each library in `names`, and of Python."""
    versions = {"python": platform.python_version()}
    for name in names:
        try:
            versions[name] = metadata.version(name)
        except metadata.PackageNotFoundError:
            versions[name] = "not installed"
    return versions


def run_provenance(started: str, *libraries: str) -> dict[str, Any]:
    """Return what every output says of the run that made it, which ends now."""
    return {
        "version": package_version(),
        "command": command_line(),
        "started": started,
        "ended": now_utc(),
        "libraries": library_versions(*libraries),
    }


def dataset_provenance(dataset: Dataset, folder: Path) -> dict[str, str]:
    """Return what is recorded of the data set of the run `folder`, to find it again.

    A path is recorded from the run folder: both can be moved together, and the record says nothing
    of the rest of the machine. Only where the two have no folder in common is it the whole path.
    """
    source = dataset.source or DatasetSource(dataset.root)
    provenance = {"dataset": path_from(folder, source.path)}
    if source.images is not None:
        provenance["images"] = path_from(folder, source.images)
    if source.dive_pattern is not None:
        provenance["dive_pattern"] = source.dive_pattern
    if source.reviews is not None:
        provenance["reviews"] = path_from(folder, source.reviews)
    if source.review_images is not None:
        provenance["review_images"] = path_from(folder, source.review_images)
    return provenance


def path_from(folder: Path, path: Path) -> str:
    """Return `path` as it is recorded for `folder`: from there, if they have a folder in common."""
    here, there = folder.resolve(), Path(os.path.abspath(path))
    if here.parts[:2] != there.parts[:2]:
        return there.as_posix()
    return Path(os.path.relpath(there, here)).as_posix()


def find_recorded(recorded: str, folder: Path) -> Path | None:
    """Return the path that was recorded for the run `folder`, `None` if nothing is there.

    Earlier versions recorded a path from the folder that the program was called in.
    """
    from_run = Path(os.path.normpath(folder.resolve() / recorded))
    return next((path for path in (from_run, Path(recorded)) if path.exists()), None)


def hash_file(path: Path) -> str:
    """Return the SHA-256 of a file's bytes, in hexadecimal."""
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while chunk := file.read(_CHUNK_BYTES):
            digest.update(chunk)
    return digest.hexdigest()
