"""The page with all that lies beside it: written together, or not at all."""

from __future__ import annotations

import os
import secrets
import shutil
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from finding_nemo.core.files.atomic_files import (
    OUTPUT_MARKER,
    atomic_write,
    raise_output_error,
    refuse_existing,
    refuse_replacing,
    rename_durably,
)
from finding_nemo.core.files.table_files import TableWriter

_KEPT_OF_NAME = 50


@dataclass(frozen=True, slots=True)
class DiveOutputs:
    """Where the parts are.

    Attributes:
        page: The page.
        counts: Frames by dive, hour, depth band and name.
        effort: Frames by dive, hour and depth band.
        shares: Shares of frames, as named and corrected.
        accumulation: Categories by frames, clips and dives.
        folder: Small pictures and data of the page.
    """

    page: Path
    counts: Path
    effort: Path
    shares: Path
    accumulation: Path
    folder: Path

    @classmethod
    def of(cls, page: Path) -> DiveOutputs:
        """Return the parts of a page, named after it."""
        stem = page.stem
        return cls(
            page,
            page.with_name(f"{stem}.counts.csv"),
            page.with_name(f"{stem}.effort.csv"),
            page.with_name(f"{stem}.shares.csv"),
            page.with_name(f"{stem}.accumulation.csv"),
            page.with_name(f"{stem}_files"),
        )

    @property
    def parts(self) -> tuple[Path, ...]:
        """Every part, the page last."""
        return (self.folder, *self.tables, self.page)

    @property
    def tables(self) -> tuple[Path, ...]:
        """The tables beside the page."""
        return (self.counts, self.effort, self.shares, self.accumulation)


@contextmanager
def whole_outputs(outputs: DiveOutputs, *, overwrite: bool) -> Iterator[DiveOutputs]:
    """Yield places to write the parts to; they are moved to `outputs` when the block ends well.

    A failure, in the block or while they are moved, leaves what was there before.

    Raises:
        OutputExistsError: If a part exists and `overwrite` is false, or if the folder was not made
            by this program.
        OutputError: If they cannot be written.
    """
    for part in outputs.parts:
        refuse_existing(part, overwrite=overwrite)
    refuse_replacing(outputs.folder, overwrite=overwrite)
    name = f".{outputs.page.name[:_KEPT_OF_NAME]}.{secrets.token_hex(4)}.partial"
    work = outputs.page.with_name(name)
    new = DiveOutputs(*(work / part.name for part in _fields(outputs)))
    try:
        with raise_output_error(outputs.page):
            new.folder.mkdir(parents=True)
            (new.folder / OUTPUT_MARKER).touch()
        yield new
        with raise_output_error(outputs.page):
            _exchange(new, outputs, work / "before")
    finally:
        shutil.rmtree(work, ignore_errors=True)


def _fields(outputs: DiveOutputs) -> tuple[Path, ...]:
    return (outputs.page, *outputs.tables, outputs.folder)


def _exchange(new: DiveOutputs, outputs: DiveOutputs, before: Path) -> None:
    """Move the new parts in place of the old; where that fails, move the old ones back."""
    before.mkdir()
    done: list[tuple[Path, bool]] = []
    try:
        for source, place in zip(new.parts, outputs.parts, strict=True):
            had_one = os.path.lexists(place)
            if had_one:
                os.replace(place, before / place.name)
            done.append((place, had_one))
            if source.is_dir():
                os.replace(source, place)
            else:
                rename_durably(source, place)
    except BaseException:
        for place, had_one in reversed(done):
            _put_back(place, before / place.name if had_one else None)
        raise


def _put_back(place: Path, old: Path | None) -> None:
    with suppress(OSError):
        if place.is_dir() and not place.is_symlink():
            shutil.rmtree(place)
        else:
            place.unlink(missing_ok=True)
        if old is not None:
            os.replace(old, place)


def write_table(path: Path, rows: Sequence[Sequence[object]]) -> None:
    """Write a table that Excel takes for UTF-8 and that no spreadsheet runs."""
    with (
        atomic_write(path) as partial,
        partial.open("w", encoding="utf-8-sig", newline="") as file,
    ):
        writer = TableWriter(file)
        for row in rows:
            writer.write(row)
