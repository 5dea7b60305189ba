"""Writing outputs so that nothing is lost: refuse to replace, write beside, then rename."""

from __future__ import annotations

import errno
import os
import re
import secrets
import shutil
import stat
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from finding_nemo.core.errors import NoSpaceError, OutputError, OutputExistsError
from finding_nemo.core.text.printable import printable

OUTPUT_MARKER = ".finding-nemo-output"
# A name may have 255 bytes, and four go to one character.
_KEPT_OF_NAME = 50
_PARTIAL = re.compile(r"\.(?P<name>.{1,50})\.[0-9a-f]{8}\.partial")
_PARTS = re.compile(r"\.(?P<name>.+)\.parts")
_tidied: set[str] = set()


_NOT_WRITABLE = frozenset(
    {
        errno.EACCES,
        errno.EPERM,
        errno.EROFS,
        errno.ENOTDIR,
        errno.EISDIR,
        errno.ENOENT,
        errno.ENAMETOOLONG,
        errno.ELOOP,
        errno.EEXIST,
        errno.ENOTEMPTY,
    }
)
# "s3:/bucket" is what a path makes of s3://bucket; one letter is a drive of Windows.
_ADDRESS = re.compile(r"(?P<scheme>[A-Za-z][A-Za-z0-9+.-]+):[/\\](?P<rest>.*)", re.DOTALL)


@contextmanager
def raise_no_space(path: Path) -> Iterator[None]:
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
            f"No space left on the disk while writing {users_path(path)}. What was finished "
            "before is kept; "
            "make room and run the same command again."
        ) from error


@contextmanager
def raise_output_error(path: Path) -> Iterator[None]:
    """Tell of whatever keeps `path` from being written by its own name, not a temporary one.

    Raises:
        NoSpaceError: If the disk is full.
        OutputError: If the system does not let it be written.
    """
    try:
        with raise_no_space(path):
            yield
    except OSError as error:
        if isinstance(error, OutputError) or error.errno not in _NOT_WRITABLE:
            raise
        raise _cannot_write(path, error) from error


def _cannot_write(path: Path, error: OSError) -> OutputError:
    return OutputError(f"Cannot write {users_path(path)}: {error.strerror or error}.")


def users_path(path: Path | str) -> str:
    """Return the path that a person knows for one of the temporary names beside it."""
    parts = Path(path).parts
    for position, part in enumerate(parts):
        found = _PARTIAL.fullmatch(part) or _PARTS.fullmatch(part)
        if found is not None:
            return str(Path(*parts[:position], found["name"]))
    return str(path)


def is_occupied(path: Path) -> bool:
    """Return whether something is at `path`; a folder with our marker alone is as good as none."""
    if path.is_dir():
        return any(entry.name != OUTPUT_MARKER for entry in path.iterdir())
    return os.path.lexists(path)


def is_ours(folder: Path) -> bool:
    """Return whether this program made a folder, so that it may be emptied."""
    return (folder / OUTPUT_MARKER).exists()


def refuse_address(path: Path) -> None:
    """Check that `path` is no address of a store: outputs are files of this machine.

    Raises:
        OutputError: If it is one.
    """
    found = _ADDRESS.fullmatch(str(path))
    if found:
        address = f"{found['scheme']}://{found['rest']}"
        raise OutputError(
            f"{printable(address)} is an address, and outputs are written to this machine only. "
            "Name a local file or folder, and copy it there afterwards."
        )


def refuse_existing(path: Path, *, overwrite: bool) -> None:
    """Check that nothing is at `path`, or that it may be replaced.

    Raises:
        OutputExistsError: If it exists (a folder counts when it is not empty) and
            `overwrite` is false.
        OutputError: If it cannot be looked at, or is an address.
    """
    refuse_address(path)
    with raise_output_error(path):
        occupied = is_occupied(path)
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
    if path.is_dir() and is_occupied(path) and not is_ours(path):
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
    with raise_output_error(path):
        if path.is_dir():
            _empty(path)  # it may be a mounted one, which cannot be removed
        else:
            path.unlink(missing_ok=True)
            path.mkdir(parents=True)
        (path / OUTPUT_MARKER).touch()
    return path


def _empty(folder: Path) -> None:
    for entry in folder.iterdir():
        if entry.is_dir() and not entry.is_symlink():
            shutil.rmtree(entry)
        else:
            entry.unlink()


@contextmanager
def new_output_folder(path: Path, *, overwrite: bool) -> Iterator[Path]:
    """Yield `path` as from `prepare_output_folder`; if the block fails, nothing of it is left.

    For work whose beginnings are of no use, so that they do not keep the next try from its output.

    Raises:
        OutputExistsError: As `prepare_output_folder` does.
        OutputError: If it cannot be made.
    """
    was_there = path.is_dir()
    prepare_output_folder(path, overwrite=overwrite)
    try:
        yield path
    except BaseException:
        with suppress(OSError):
            _empty(path)
            if not was_there:
                path.rmdir()
        raise


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
def atomic_write(path: Path) -> Iterator[Path]:
    """Yield a temporary path beside `path`, renamed to it when the block ends well.

    A reader never sees half a file, and a failure leaves what stood there before. The bytes are
    on the disk before the name is, so that a power cut cannot leave a whole name on half a file.
    Two writers have a temporary file each: what ends last is whole and stays. What a killed writer
    left in the folder is removed.

    Raises:
        NoSpaceError: If the disk is full.
        OutputError: If the folder does not exist or cannot be written.
    """
    refuse_address(path)
    with raise_output_error(path):
        path.parent.mkdir(parents=True, exist_ok=True)
        _tidy(path.parent)
        partial, handle = _claimed(path)
    try:
        with raise_no_space(path):
            yield partial
        with raise_output_error(path):
            if handle is not None:
                # Some writers (safetensors) put a file of their own there, for its owner alone.
                partial.chmod(stat.S_IMODE(os.fstat(handle).st_mode))
            rename_durably(partial, path)
    except (PermissionError, NotADirectoryError, IsADirectoryError) as error:
        raise _cannot_write(path, error) from error
    finally:
        if handle is not None:
            os.close(handle)
        partial.unlink(missing_ok=True)


def _claimed(path: Path) -> tuple[Path, int | None]:
    """Make a temporary file of a name of its own, locked while its writer lives."""
    while True:
        name = f".{path.name[:_KEPT_OF_NAME]}.{secrets.token_hex(4)}.partial"
        partial = path.with_name(name)
        handle = os.open(partial, os.O_CREAT | os.O_EXCL | os.O_RDWR, 0o666)
        if lock_file(handle) is False or not _is_open_as(partial, handle):
            os.close(handle)  # somebody tidied up, and took it for a dead writer's
            continue
        if os.name != "posix":  # elsewhere an open file cannot be renamed
            os.close(handle)
            return partial, None
        return partial, handle


def _is_open_as(path: Path, handle: int) -> bool:
    try:
        return os.path.samestat(path.stat(), os.fstat(handle))
    except FileNotFoundError:
        return False


def _tidy(folder: Path) -> None:
    """Remove the temporary files of writers that were killed, once a folder and process."""
    position = os.path.abspath(folder)
    if position in _tidied or os.name != "posix":
        return
    _tidied.add(position)
    with os.scandir(folder) as entries:
        left = [entry.path for entry in entries if _PARTIAL.fullmatch(entry.name)]
    for name in left:
        _remove_if_dead(Path(name))


def _remove_if_dead(partial: Path) -> None:
    try:
        handle = os.open(partial, os.O_RDWR | os.O_NOFOLLOW)
    except OSError:
        return  # another user's, or gone
    try:
        if lock_file(handle):
            partial.unlink(missing_ok=True)
    finally:
        os.close(handle)


def lock_file(handle: int) -> bool | None:
    """Lock an open file until it is closed.

    Returns:
        Whether it is locked now: false if another process holds it, `None` if the file system
        knows no locks.
    """
    try:
        import fcntl
    except ImportError:  # Windows: two processes at once are not noticed
        return None
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    except OSError:
        return None
    return True


def write_text(path: Path, text: str) -> None:
    """Write `text` to `path` as UTF-8, whole or not at all."""
    with atomic_write(path) as partial:
        partial.write_text(text, encoding="utf-8", newline="\n")
