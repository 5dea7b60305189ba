"""The folder of a session: frames that were dropped on the page, under names of our own.

A client's name of a file is a text in `frames.jsonl`; what lies on the disk is called 000001.png,
so no name of anybody leads anywhere.
"""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import count
from pathlib import Path

from pydantic import Field

from finding_nemo.core.config import Settings
from finding_nemo.core.errors import OutputError, SettingsError
from finding_nemo.core.files.locking import held_alone
from finding_nemo.core.text.json_text import parse_json

LIST_NAME = "frames.jsonl"
_LOCK_NAME = ".lock"
_PART = ".part"


class KeptFrame(Settings):
    """One line of the list.

    Attributes:
        image_id: Unique in the folder.
        name: The file as the client calls it.
        file: Its name in the folder, "" where nothing is kept of it.
        failure: Why it cannot be used, where that was known before it was opened.
        time_s: Of a frame of a video, seconds since its first frame.
    """

    image_id: str
    name: str
    file: str = Field(pattern=r"^([0-9]+\.[a-z0-9]+)?$")
    failure: str | None = None
    time_s: float | None = None


class SessionFolder:
    """A folder of kept frames, and the list of them."""

    def __init__(self, path: Path) -> None:
        """Take a folder that is there, with the frames that it holds already.

        Raises:
            OutputError: If its list cannot be read.
        """
        self.path = path
        self.frames = _read_list(path)
        self._ids = {frame.image_id for frame in self.frames}
        taken = [int(file.stem) for file in path.iterdir() if file.stem.isdecimal()]
        self._numbers = count(max(taken, default=0) + 1)
        for left in path.glob(f"*{_PART}"):
            left.unlink()

    def new_file(self) -> Path:
        """Return where a file that comes in is written."""
        return self.path / f"{next(self._numbers):06d}{_PART}"

    def unique_id(self, image_id: str, name: str) -> str:
        """Return an id that no frame has: the short one, else the client's name, else a number."""
        for wanted in (image_id, name):
            if wanted not in self._ids:
                break
        else:
            wanted = next(w for n in count(2) if (w := f"{name}#{n}") not in self._ids)
        self._ids.add(wanted)
        return wanted

    def add(self, frames: list[KeptFrame]) -> None:
        """Write frames to the list, all or none.

        Raises:
            OSError: If the disk is full, for one.
        """
        with self.added(frames):
            pass

    @contextmanager
    def added(self, frames: list[KeptFrame]) -> Iterator[None]:
        """Have frames on the list, all or none, unless the block fails.

        Raises:
            OSError: If the disk is full, for one.
        """
        path, n_before = self.path / LIST_NAME, len(self.frames)
        n_bytes = path.stat().st_size if path.exists() else 0
        try:
            self._write(frames)
            yield
        except BaseException:
            del self.frames[n_before:]
            self._ids.difference_update(frame.image_id for frame in frames)
            if path.exists():
                os.truncate(path, n_bytes)
            raise

    def _write(self, frames: list[KeptFrame]) -> None:
        left = "".join(frame.model_dump_json() + "\n" for frame in frames).encode()
        with (self.path / LIST_NAME).open("ab", buffering=0) as stream:
            while left:
                left = left[stream.write(left) :]
        self.frames += frames


def _read_list(folder: Path) -> list[KeptFrame]:
    """Return the frames of a folder; a last line that a kill cut short is left out."""
    path = folder / LIST_NAME
    if not path.is_file():
        return []
    content = path.read_bytes()
    whole = content[: content.rfind(b"\n") + 1]
    if whole != content:
        os.truncate(path, len(whole))
    found = []
    for number, line in enumerate(whole.splitlines(), start=1):
        where = f"{path}, line {number}"
        try:
            found.append(_frame_of(line.decode(), where))
        except UnicodeDecodeError:
            raise OutputError(f"{where} is no UTF-8. Choose another --folder.") from None
    return found


def _frame_of(line: str, where: str) -> KeptFrame:
    content = parse_json(line, where, refusal=OutputError)
    try:
        return KeptFrame.build(content if isinstance(content, dict) else {}, source=where)
    except SettingsError as error:
        raise OutputError(f"{error}\nChoose another --folder.") from None


@contextmanager
def open_session_folder(folder: Path | None) -> Iterator[SessionFolder]:
    """Yield a session's folder.

    Args:
        folder: Made if need be, and kept; `None`: a temporary one, removed at the end.

    Raises:
        OutputError: If it cannot be made or read.
        OtherRunError: If another server uses it.
    """
    if folder is None:
        path = Path(tempfile.mkdtemp(prefix="finding-nemo-"))
        try:
            yield SessionFolder(path)
        finally:
            shutil.rmtree(path, ignore_errors=True)
        return
    with held_alone(folder / _LOCK_NAME, f"keeps the frames of {folder}"):
        yield SessionFolder(folder)
