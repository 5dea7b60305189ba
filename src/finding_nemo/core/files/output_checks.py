"""Whether an output can be written, asked before the work that it is for begins."""

from __future__ import annotations

import errno
import os
import stat
from collections.abc import Iterable, Mapping
from pathlib import Path

from finding_nemo.core.errors import OutputError, OutputExistsError
from finding_nemo.core.files.atomic_files import (
    is_occupied,
    is_ours,
    refuse_address,
    refuse_existing,
)


def check_output_file(
    path: Path, *, overwrite: bool = False, inputs: Iterable[Path | str] = ()
) -> None:
    """Check that a file can be written at `path`; nothing is made or changed.

    Args:
        path: The file.
        overwrite: Whether what is there may be replaced.
        inputs: Files that the work reads; none of them is ever replaced.

    Raises:
        OutputExistsError: If it exists and `overwrite` is false.
        OutputError: If it is a folder, a device or an input, or if its folder cannot be made or
            written.
    """
    found = _status(path)
    if found is not None and stat.S_ISDIR(found.st_mode):
        raise OutputError(f"{path} is a folder. Name a file: {path / 'NAME'}, for example.")
    if found is not None and not stat.S_ISREG(found.st_mode) and not _is_loose_link(path):
        raise OutputError(
            f"{path} is a device or pipe: an output is written beside its place and renamed, so "
            "it must be a file. Choose another output."
        )
    _refuse_inputs(path, inputs)
    refuse_existing(path, overwrite=overwrite)
    _check_folder_of(path)


def check_output_folder(
    path: Path, *, overwrite: bool = False, inputs: Iterable[Path | str] = ()
) -> None:
    """Check that `path` can be made as a new folder; nothing is made or changed.

    Args:
        path: The folder.
        overwrite: Whether what is there may be replaced.
        inputs: Files and folders that the work reads; one in `path` is never replaced.

    Raises:
        OutputExistsError: If it holds something and `overwrite` is false, or something that this
            program did not make.
        OutputError: If it is an input or holds one, or cannot be made.
    """
    found = _status(path)
    if found is not None:
        whole = os.path.realpath(path)
        held = [name for name in inputs if Path(os.path.realpath(name)).is_relative_to(whole)]
        if held:
            raise OutputError(
                f"{path} holds what the command reads ({held[0]}), which would be replaced. "
                "Choose another output."
            )
        if not stat.S_ISDIR(found.st_mode) and not stat.S_ISREG(found.st_mode):
            raise OutputError(f"{path} is a device or pipe, not a folder. Choose another output.")
    refuse_existing(path, overwrite=overwrite)
    if path.is_dir() and is_occupied(path) and not is_ours(path):
        raise OutputExistsError(
            f"{path} holds files that finding-nemo did not make; it is not replaced. "
            "Choose another output, or empty that folder yourself."
        )
    _check_folder_of(path / "any" if path.is_dir() else path, shown=path)


def check_apart(outputs: Mapping[str, Path | None]) -> None:
    """Check that no two outputs are one file.

    Args:
        outputs: From the option's name to the path, `None` where it was not given.

    Raises:
        OutputError: If two are.
    """
    seen: dict[str, str] = {}
    for name, path in outputs.items():
        if path is None:
            continue
        other = seen.setdefault(os.path.realpath(path), name)
        if other != name:
            raise OutputError(f"{other} and {name} are one file, {path}. Name two.")


def refuse_input(out: Path, inputs: Iterable[Path | str]) -> None:
    """Check that writing `out` replaces none of `inputs`, whatever names they have.

    Raises:
        OutputError: If it does.
    """
    if _status(out) is not None:
        _refuse_inputs(out, inputs)


def is_same_file(path: Path | str, found: os.stat_result) -> bool:
    """Return whether `path` is the file whose status is `found`."""
    try:
        return os.path.samestat(os.stat(path), found)
    except (OSError, ValueError):
        return False


def _refuse_inputs(path: Path, inputs: Iterable[Path | str]) -> None:
    try:
        found = path.stat()
    except OSError:
        return
    for name in inputs:
        if is_same_file(name, found):
            raise OutputError(
                f"{path} is what the command reads ({name}), which is never replaced. Choose "
                "another output."
            )


def _status(path: Path) -> os.stat_result | None:
    """Return the status of what is at `path`, links followed, or `None` if nothing is.

    Raises:
        OutputError: If `path` is an address or cannot be looked at.
    """
    refuse_address(path)
    try:
        return path.stat() if path.exists() else path.lstat()
    except (FileNotFoundError, NotADirectoryError):
        return None
    except OSError as error:
        raise _cannot(path, error) from None


def _is_loose_link(path: Path) -> bool:
    return path.is_symlink() and not path.exists()


def _check_folder_of(path: Path, *, shown: Path | None = None) -> None:
    """Check that the folder of `path` can be written, or made where it is not there."""
    folder, shown = path.parent, shown or path
    try:
        while not folder.exists() and folder != folder.parent:
            folder = folder.parent
        if not folder.is_dir():
            raise OutputError(f"Cannot write {shown}: {folder} is a file, not a folder.")
        if not os.access(folder, os.W_OK | os.X_OK):
            code = errno.EROFS if _is_read_only(folder) else errno.EACCES
            raise OutputError(f"Cannot write {shown}: {os.strerror(code)} ({folder}).")
        _check_sticky(path, folder)
    except OSError as error:
        if isinstance(error, OutputError):
            raise
        raise _cannot(shown, error) from None


def _is_read_only(folder: Path) -> bool:
    return hasattr(os, "statvfs") and bool(os.statvfs(folder).f_flag & os.ST_RDONLY)


def _check_sticky(path: Path, folder: Path) -> None:
    """In a folder like /tmp nobody may replace another user's file."""
    if not hasattr(os, "geteuid") or not folder.stat().st_mode & stat.S_ISVTX:
        return
    mine = (0, folder.stat().st_uid)
    if os.path.lexists(path) and os.geteuid() not in (*mine, path.lstat().st_uid):
        raise OutputError(f"Cannot write {path}: it is another user's file. Choose another output.")


def _cannot(path: Path, error: OSError) -> OutputError:
    return OutputError(f"Cannot write {path}: {error.strerror or error}.")
