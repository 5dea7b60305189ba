"""A WoRMS export that a person was given: `taxon.txt`, alone, in a folder or in a zip."""

from __future__ import annotations

import csv
import io
import zipfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import TextIO

from finding_nemo.core.errors import NamesError
from finding_nemo.marine.taxonomy_table import key_of
from finding_nemo.marine.worms_records import WormsRecord, record_from_export

_TAXA = "taxon.txt"
_NEEDED = ("taxonid", "scientificname", "taxonrank", "taxonomicstatus", "acceptednameusageid")
# The whole register has 1.5 million rows; a line of one of them is below 10 kB.
_MAX_LINE = 1 << 20


class WormsExport:
    """Records out of a Darwin Core archive of WoRMS; the file is read once for each question."""

    label = "WoRMS export"

    def __init__(self, path: Path) -> None:
        """Look at the header.

        Args:
            path: `taxon.txt`, a folder with it, or the zip.

        Raises:
            NamesError: If there is none, or it lacks a column.
        """
        self._path = path
        self.label = f"WoRMS export {path.name}"
        next(self._rows(), None)

    def by_names(self, names: tuple[str, ...]) -> Mapping[str, tuple[WormsRecord, ...]]:
        """Return the records of each name, () of one that the export has not."""
        wanted = {key_of(name): name for name in names}
        found: dict[str, list[WormsRecord]] = {name: [] for name in names}
        for record in self._records():
            name = wanted.get(key_of(record.name))
            if name is not None:
                found[name].append(record)
        return {name: tuple(each) for name, each in found.items()}

    def by_ids(self, ids: tuple[int, ...]) -> Mapping[int, WormsRecord]:
        """Return the records of AphiaIDs, as far as the export has them."""
        wanted = set(ids)
        if not wanted:
            return {}
        return {each.aphia_id: each for each in self._records() if each.aphia_id in wanted}

    def _records(self) -> Iterator[WormsRecord]:
        return (record for row in self._rows() if (record := record_from_export(row)) is not None)

    def _rows(self) -> Iterator[Mapping[str, str]]:
        with self._opened() as file:
            reader = csv.reader(_lines(file, self._path), delimiter="\t", quoting=csv.QUOTE_NONE)
            names = [name.strip().lower() for name in next(reader, [])]
            lacking = [name for name in _NEEDED if name not in names]
            if lacking:
                raise NamesError(
                    f"{self._path}: {_TAXA} lacks the columns {', '.join(lacking)}. Give an export "
                    "of WoRMS as a Darwin Core archive: https://www.marinespecies.org/usersrequest"
                    ".php."
                )
            for fields in reader:
                yield dict(zip(names, fields, strict=False))

    @contextmanager
    def _opened(self) -> Iterator[TextIO]:
        path = self._path / _TAXA if self._path.is_dir() else self._path
        try:
            if zipfile.is_zipfile(path):
                with zipfile.ZipFile(path) as archive, archive.open(_member(archive)) as file:
                    yield io.TextIOWrapper(file, encoding="utf-8", errors="replace", newline="\n")
            else:
                with path.open(encoding="utf-8", errors="replace", newline="\n") as text:
                    yield text
        except (OSError, zipfile.BadZipFile, KeyError) as error:
            reason = getattr(error, "strerror", None) or error
            raise NamesError(
                f"The WoRMS export {self._path} cannot be read: {reason}. Give {_TAXA}, its "
                "folder, or the zip that holds it."
            ) from None


def _member(archive: zipfile.ZipFile) -> str:
    found = [name for name in archive.namelist() if name.rpartition("/")[2] == _TAXA]
    if not found:
        raise KeyError(f"it holds no {_TAXA}")
    return found[0]


def _lines(file: TextIO, path: Path) -> Iterator[str]:
    while line := file.readline(_MAX_LINE):
        if len(line) >= _MAX_LINE:
            raise NamesError(f"{path}: a line of {_TAXA} is longer than {_MAX_LINE:,} characters.")
        yield line.replace("\x00", "").replace("\r", "")
