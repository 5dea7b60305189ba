"""Writing outputs so that nothing is lost: refuse to replace, write beside, then rename."""

from __future__ import annotations

import errno
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from finding_nemo.core.errors import NoSpaceError, OutputError, OutputExistsError

OUTPUT_MARKER = ".finding-nemo-output"


@contextmanager
def telling_full_disk(path: Path) -> Iterator[None]:
    """Turn the operating system's "no space left" into one clear message.

    Raises:
        NoSpaceError: If the disk that holds `path` is full.
    """
    try:
        yield
    except OSError as error:
        if error.errno not in (errno.ENOSPC, errno.EDQUOT) and "No space left" not in str(error):
            raise
        raise NoSpaceError(
            f"No space left on the disk while writing {path}. What was finished before is kept; "
            "make room and run the same command again."
        ) from error


def refuse_existing(path: Path, *, overwrite: bool) -> None:
    """Check that `path` may be written.

    Raises:
        OutputExistsError: If it exists (a folder counts when it is not empty) and
            `overwrite` is false.
    """
    occupied = any(path.iterdir()) if path.is_dir() else path.exists()
    if occupied and not overwrite:
        raise OutputExistsError(
            f"{path} exists already. Choose another output, or add --overwrite to replace it."
        )


def refuse_replacing(path: Path, *, overwrite: bool) -> None:
    """Check that `prepare_output_folder` may make `path` anew.

    Raises:
        OutputExistsError: If it may not.
    """
    refuse_existing(path, overwrite=overwrite)
    if path.is_dir() and any(path.iterdir()) and not (path / OUTPUT_MARKER).exists():
        raise OutputExistsError(
            f"{path} holds files that finding-nemo did not make; it is not replaced. "
            "Choose another output, or empty that folder yourself."
        )


def prepare_output_folder(path: Path, *, overwrite: bool) -> Path:
    """Return `path` as a new folder that holds nothing but our marker.

    Only a folder with that marker is ever emptied, so that `--overwrite` with a wrong
    path cannot delete a person's own files.

    Raises:
        OutputExistsError: If it holds something and `overwrite` is false, or if it holds
            something that this program did not make.
        OutputError: If it cannot be made.
    """
    refuse_replacing(path, overwrite=overwrite)
    try:
        if path.is_dir():
            shutil.rmtree(path)
        elif path.exists():
            path.unlink()
        path.mkdir(parents=True)
        (path / OUTPUT_MARKER).touch()
    except OSError as error:
        raise OutputError(f"Cannot make the folder {path}: {error.strerror or error}.") from error
    return path


def rename_durably(partial: Path, path: Path) -> None:
    """Rename a file so that a power cut leaves it whole under the old name or the new one."""
    _flush(partial, os.O_RDWR)
    os.replace(partial, path)
    if os.name == "posix":  # elsewhere a folder cannot be opened to be flushed
        _flush(path.parent, os.O_RDONLY)


def _flush(path: Path, flags: int) -> None:
    handle = os.open(path, flags)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


@contextmanager
def written_whole(path: Path) -> Iterator[Path]:
    """Yield a temporary path beside `path`, renamed to it when the block ends well.

    A reader never sees half a file, and a failure leaves what stood there before. The bytes are
    on the disk before the name is, so that a power cut cannot leave a whole name on half a file.

    Raises:
        NoSpaceError: If the disk is full.
        OutputError: If the folder does not exist or cannot be written.
    """
    partial = path.with_name(f".{path.name}.partial")
    try:
        with telling_full_disk(path):
            path.parent.mkdir(parents=True, exist_ok=True)
            yield partial
            rename_durably(partial, path)
    except (PermissionError, NotADirectoryError, IsADirectoryError) as error:
        raise OutputError(f"Cannot write {path}: {error.strerror or error}.") from error
    finally:
        partial.unlink(missing_ok=True)


def write_text(path: Path, text: str) -> None:
    """Write `text` to `path` as UTF-8, whole or not at all."""
    with written_whole(path) as partial:
        partial.write_text(text, encoding="utf-8", newline="\n")
