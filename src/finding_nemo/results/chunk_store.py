"""The unfinished output of a run: parts in a folder beside it, put together at the end.

`.OUT.parts/` holds `job.json` (what the run is, written once all is ready to begin), the plan,
one file a finished part, and at the end `whole/` (the finished output) with `finished.json`. Each
file is flushed to the disk before it gets its name, so after any stop the folder says truly what
is done. A kill between any two steps is made good by the next run.
"""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from finding_nemo.core.errors import OtherRunError
from finding_nemo.core.files.atomic_files import (
    atomic_write,
    lock_file,
    raise_output_error,
    refuse_address,
    rename_durably,
    write_text,
)
from finding_nemo.results.schema import parquet_options

JOB = "job.json"
PLAN = "plan.parquet"
_FINISHED = "finished.json"
_WHOLE = "whole"
_LOCK = "lock"


class ChunkStore:
    """The unfinished output beside `out`."""

    def __init__(self, out: Path) -> None:
        """Touch nothing yet."""
        self.out = out
        self.folder = out.with_name(f".{out.name}.parts")

    @property
    def plan_path(self) -> Path:
        """Where the plan of the run is."""
        return self.folder / PLAN

    @property
    def whole_path(self) -> Path:
        """Where the finished output is put together."""
        return self.folder / _WHOLE / self.out.name

    @property
    def lock_path(self) -> Path:
        """Where the lock is that a process holds while it writes."""
        return self.folder / _LOCK

    @contextmanager
    def held(self) -> Iterator[None]:
        """Make the folder, and keep other processes out of it while the block lasts.

        Raises:
            OtherRunError: If another process is in it.
            OutputError: If it cannot be made, or the output is an address.
        """
        refuse_address(self.out)
        with raise_output_error(self.out):
            self.folder.mkdir(parents=True, exist_ok=True)
            lock = self.lock_path.open("w")
        with lock:
            if lock_file(lock.fileno()) is False:
                raise OtherRunError(
                    f"Another process is writing {self.out} now. Wait for it, or choose "
                    "another output."
                )
            try:
                yield
            finally:
                if self.folder.is_dir() and self.job() is None and not self.is_finished:
                    shutil.rmtree(self.folder)

    @property
    def is_finished(self) -> bool:
        """Whether all is predicted and put together, and only to be moved."""
        return (self.folder / _FINISHED).exists()

    def job(self) -> dict[str, Any] | None:
        """Return what the unfinished run is, or `None` if there is none to go on with."""
        return _read_json(self.folder / JOB)

    def begin(self, job: Mapping[str, Any]) -> None:
        """Say what the run is; from here on it can be gone on with."""
        write_text(self.folder / JOB, json.dumps(job, indent=2, ensure_ascii=False) + "\n")

    def clear(self) -> None:
        """Forget an earlier run; the lock stays."""
        for path in self.folder.iterdir():
            if path.is_dir():
                shutil.rmtree(path)
            elif path.name != _LOCK:
                path.unlink()

    def chunk_path(self, chunk: int) -> Path:
        """Return where part number `chunk` is."""
        return self.folder / f"part-{chunk:08d}.parquet"

    @property
    def has_chunks(self) -> bool:
        """Whether any part is finished, which would be lost by beginning anew."""
        return any(self.folder.glob("part-*.parquet"))

    def missing(self, chunks: Sequence[int]) -> list[int]:
        """Return those of `chunks` that are not finished, in order."""
        names = set(os.listdir(self.folder))
        return [chunk for chunk in chunks if self.chunk_path(chunk).name not in names]

    def write_chunk(self, chunk: int, rows: pa.Table) -> None:
        """Store a finished part.

        Raises:
            NoSpaceError: If the disk is full; finished parts stay.
        """
        with atomic_write(self.chunk_path(chunk)) as partial:
            pq.write_table(rows, partial, **parquet_options(rows.schema))

    def read_chunk(self, chunk: int, *, columns: Sequence[str] | None = None) -> pa.Table | None:
        """Return the rows of a finished part, or `None` if it cannot be read.

        Args:
            chunk: Its number.
            columns: Which columns, those that there are; `None`: all.
        """
        try:
            with pq.ParquetFile(self.chunk_path(chunk), page_checksum_verification=True) as file:
                names = file.schema_arrow.names
                kept = names if columns is None else [n for n in columns if n in names]
                return file.read(columns=kept)
        except (pa.ArrowException, OSError):
            return None

    def finished(self, request: Mapping[str, Any]) -> dict[str, Any] | None:
        """Return the summary of `request` if it was stopped while its output was moved."""
        found = _read_json(self.folder / _FINISHED)
        return found["summary"] if found is not None and found["request"] == request else None

    def finish(self, request: Mapping[str, Any], summary: Mapping[str, Any]) -> None:
        """Say that `whole/` is complete, move what is in it to its place, and tidy up."""
        content = json.dumps({"request": request, "summary": summary}, ensure_ascii=False)
        write_text(self.folder / _FINISHED, content + "\n")
        self.move_out()

    def move_out(self) -> None:
        """Move the finished output to its place and remove the folder; may be repeated."""
        with raise_output_error(self.out):
            self._move_out()

    def _move_out(self) -> None:
        whole = self.folder / _WHOLE
        # The output itself goes last: once it is there, so is all that belongs to it.
        for path in sorted(whole.glob("*"), key=lambda path: path.name == self.out.name):
            rename_durably(path, self.out.with_name(path.name))
        shutil.rmtree(whole, ignore_errors=True)
        last = (_FINISHED, _LOCK)
        for path in self.folder.iterdir():
            if path.name not in last:
                path.unlink()
        for name in last:
            (self.folder / name).unlink(missing_ok=True)
        self.folder.rmdir()


def _read_json(path: Path) -> dict[str, Any] | None:
    try:
        found: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    except (FileNotFoundError, json.JSONDecodeError):
        return None
    return found
