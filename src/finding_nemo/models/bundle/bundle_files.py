"""The files of a bundle: their names and hashes, and reading them and nothing else."""

from __future__ import annotations

import hashlib
import stat
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path

from finding_nemo.core.config import Settings
from finding_nemo.core.errors import BundleError
from finding_nemo.core.files.fault_handling import stop_at_fault
from finding_nemo.core.provenance import hash_file
from finding_nemo.core.text.printable import printable

MANIFEST = "bundle.json"
WEIGHTS = "weights.safetensors"
NETWORK = "model.onnx"
INT8_NETWORK = "model.int8.onnx"
NOVELTY = "novelty.safetensors"
EXPORTS = "exports.json"
ADAPTATION = "adaptation.json"
MODEL_CARD = "MODEL_CARD.md"

# What a hash is kept of: all that decides a prediction. The card is for people to write in.
HASHED = (WEIGHTS, NOVELTY, NETWORK, INT8_NETWORK, EXPORTS, ADAPTATION)
_MIB = 1 << 20
# A manifest of 290 categories takes 60 kB; an ONNX file cannot be larger than 2 GB itself.
_MOST_BYTES = {
    MANIFEST: 64 * _MIB,
    EXPORTS: _MIB,
    ADAPTATION: _MIB,
    NETWORK: 2048 * _MIB,
    INT8_NETWORK: 2048 * _MIB,
}
_MOST_TENSOR_BYTES = 16_384 * _MIB


class FileRecord(Settings):
    """What a file of a bundle was when it was written.

    Attributes:
        sha256: Of its bytes, in hexadecimal.
        n_bytes: How many there are.
    """

    sha256: str
    n_bytes: int


def needed_files(runner: str) -> list[str]:
    """Return the files that a bundle of such a runner cannot be without, beside `bundle.json`."""
    return [WEIGHTS, NOVELTY, *([NETWORK] if runner == "network" else [])]


def record_of_file(content: bytes) -> FileRecord:
    """Return what bytes are known by."""
    return FileRecord(sha256=hashlib.sha256(content).hexdigest(), n_bytes=len(content))


def records_of_files(folder: Path, names: Iterable[str] = HASHED) -> dict[str, FileRecord]:
    """Return what each file of `names` that is in `folder` is known by."""
    return {
        name: FileRecord(sha256=hash_file(folder / name), n_bytes=(folder / name).stat().st_size)
        for name in names
        if (folder / name).is_file()
    }


def read_file_of(folder: Path, name: str, known: Mapping[str, FileRecord] | None = None) -> bytes:
    """Return the bytes of a file that lies in `folder` itself.

    Args:
        folder: The bundle.
        name: The file.
        known: What files were when they were written; one that it does not name is not compared.

    Raises:
        BundleError: If it is a link, no regular file, too large, cannot be read or is another.
    """
    path = _own(folder, name)
    try:
        content = path.read_bytes()
    except OSError as error:
        raise _unreadable(path, error) from None
    if known and name in known and (found := record_of_file(content)) != known[name]:
        raise _changed(path, known[name], found)
    return content


def check_files(
    folder: Path,
    known: Mapping[str, FileRecord],
    *,
    on_fault: Callable[[BundleError, str], None] = lambda error, _: stop_at_fault(error),
) -> None:
    """Check that a bundle's files are its own, and what they were when it was written.

    Hashing takes 0.05 s for 20 MB on a laptop. It finds damage, not malice: who can change a file
    can change `bundle.json` too.

    Args:
        folder: The bundle.
        known: What files were when they were written.
        on_fault: Takes each fault and the name of its file, "" of the manifest.

    Raises:
        BundleError: Naming the first file that is another, a link, or missing.
    """
    for foreign in sorted(set(known) - set(HASHED)):
        error = BundleError(
            f"{folder / MANIFEST} lists a file {printable(foreign)!r}, which no bundle has. "
            "Get the bundle again from whom you trust."
        )
        on_fault(error, "")
    for name in HASHED:
        try:
            if name in known:
                _check_file(_own(folder, name), known[name])
            elif (folder / name).is_symlink() or (folder / name).exists():
                _own(folder, name)
        except BundleError as error:
            on_fault(error, name)


def _check_file(path: Path, wanted: FileRecord) -> None:
    try:
        found = FileRecord(sha256=hash_file(path), n_bytes=path.stat().st_size)
    except OSError as error:
        raise _unreadable(path, error) from None
    if found != wanted:
        raise _changed(path, wanted, found)


def _own(folder: Path, name: str) -> Path:
    """Return the path of a file that is no link and not too large to be what it should be."""
    path = folder / name
    try:
        status = path.lstat()
    except FileNotFoundError:
        raise BundleError(f"The bundle {folder} lacks {name}. Train or copy it again.") from None
    except OSError as error:
        raise _unreadable(path, error) from None
    if stat.S_ISLNK(status.st_mode):
        raise BundleError(
            f"{path} is a link: a bundle holds its files themselves, so that nothing outside it "
            "is read. Copy it with its contents (cp -rL)."
        )
    if not stat.S_ISREG(status.st_mode):
        raise BundleError(f"{path} is no regular file. Train or copy the bundle again.")
    most = _MOST_BYTES.get(name, _MOST_TENSOR_BYTES)
    if status.st_size > most:
        raise BundleError(f"{path} has {status.st_size:,} bytes; at most {most:,} are read.")
    return path


def _unreadable(path: Path, error: OSError) -> BundleError:
    return BundleError(
        f"{path} cannot be read: {error.strerror or error}. Ask for leave to read it, or train or "
        "copy the bundle again."
    )


def _changed(path: Path, wanted: FileRecord, found: FileRecord) -> BundleError:
    again = "Export the bundle again" if path.name in (INT8_NETWORK, EXPORTS) else "Train again"
    return BundleError(
        f"{path} cannot be read: it was damaged or changed since the bundle was written. It has "
        f"{found.n_bytes:,} bytes of SHA-256 {found.sha256[:12]}..., {MANIFEST} says "
        f"{wanted.n_bytes:,} of {printable(wanted.sha256[:12])}... {again}, or copy it again."
    )
