"""The door: one file or folder, which format it is, and everything that is wrong with it."""

from __future__ import annotations

import os
from pathlib import Path

from finding_nemo.core.names.registries import find_entry, load
from finding_nemo.validating.fault_list import MOST_SHOWN, FaultList, FileReport
from finding_nemo.validating.recognize_format import FILE_FORMATS, recognize_format


def validate_file(
    path: Path, *, format_name: str | None = None, most: int = MOST_SHOWN
) -> FileReport:
    """Check a file of ours, or a bundle's folder, and return all that is wrong with it.

    Tables and predictions are read in a stream: a million rows take no more memory than a few
    thousand and eight bytes a row.

    Args:
        path: The file or folder.
        format_name: A name of `FILE_FORMATS`; by default what the file looks like.
        most: How many faults to keep; all are counted.

    Raises:
        SettingsError: If there is no such format.
    """
    faults = FaultList(path, most)
    if format_name is None:
        name, reason = recognize_format(path)
    else:
        name = find_entry(FILE_FORMATS, format_name, kind="format").name
        reason = "so it was asked for"
    n_rows = None
    if not os.path.lexists(path):
        name, reason = "", "there is no such file"
        faults.add("", "", f"The file {path} does not exist. Is its name spelled as it is?")
    elif not name:
        faults.add(
            "", "", f"It is of no format of ours: {reason}. Say --as FORMAT if it should be."
        )
    else:
        n_rows = load(FILE_FORMATS[name].check)(path, faults)
    return FileReport(
        path=path,
        format_name=name,
        reason=reason,
        n_rows=n_rows,
        n_faults=faults.count,
        faults=tuple(faults.kept),
    )
