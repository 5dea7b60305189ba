"""What every verb asks of its outputs before it begins."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING

import typer

from finding_nemo.data.datasets.dataset_forms import DATASET_FORMS, DATASET_SUFFIXES
from finding_nemo.results.prediction_formats import SUFFIXES

if TYPE_CHECKING:
    from finding_nemo.core.records import Dataset

# Suffixes that say what a file is: under any of these a reader would look for that, not ours.
_KNOWN = frozenset(
    {
        ".html",
        ".htm",
        ".pdf",
        ".md",
        ".xlsx",
        ".png",
        ".jpg",
        ".jpeg",
        ".webp",
        ".tif",
        ".tiff",
        ".bmp",
        ".svg",
        ".npy",
        ".zip",
        ".tar",
        ".gz",
        ".toml",
        ".yaml",
        ".yml",
        ".onnx",
        ".safetensors",
    }
    | DATASET_SUFFIXES
    | SUFFIXES.keys()
) - {""}
# What is read in the folder of a data set, of a bundle, or of the run that holds it.
_READ_IN_FOLDERS = (
    *(pattern for form in DATASET_FORMS.values() for pattern in form.files),
    *("bundle.json", "*.onnx", "*.safetensors", "bundle/*"),
)


def check_suffix(path: Path | None, option: str, *allowed: str) -> None:
    """Check that a file's name does not promise another format than the one that is written.

    Raises:
        typer.BadParameter: If it does.
    """
    suffix = "" if path is None else path.suffix.lower()
    if suffix in _KNOWN and suffix not in allowed:
        raise typer.BadParameter(
            f"{option} {path}: what is written there is no {suffix} file. End the name in "
            f"{' or '.join(allowed)}."
        )


def check_files(
    outputs: dict[str, Path | None], *, overwrite: bool, inputs: Iterable[Path | None]
) -> None:
    """Check that every file can be written, that they are apart, and that none is an input.

    Args:
        outputs: From the option's name to the file.
        overwrite: Whether files that are there may be replaced.
        inputs: What the command reads: files, and folders of data sets or bundles.

    Raises:
        OutputError: If one cannot be written, or is an input or another output.
    """
    from finding_nemo.core.files.output_checks import check_apart, check_output_file

    check_apart(outputs)
    read = list(_files_of(inputs))
    for path in outputs.values():
        if path is not None:
            check_output_file(path, overwrite=overwrite, inputs=read)


def check_folder(path: Path, *, overwrite: bool, inputs: Iterable[Path | None]) -> None:
    """Check that a folder can be made, and that nothing is in it that the command reads.

    Raises:
        OutputError: If it cannot.
    """
    from finding_nemo.core.files.output_checks import check_output_folder

    read = [name for name in inputs if name is not None]
    check_output_folder(path, overwrite=overwrite, inputs=read)


def check_apart_from_images(outputs: Iterable[Path | None], data: Dataset) -> None:
    """Check that no output is one of the data set's images.

    Raises:
        OutputError: If one is.
    """
    from finding_nemo.core.files.output_checks import refuse_input

    for path in outputs:
        if path is not None:
            refuse_input(path, (record.path for record in data.records))


def _files_of(inputs: Iterable[Path | None]) -> Iterator[Path]:
    """Yield the files that are read; of a folder those of a data set's layout or a bundle's."""
    for path in inputs:
        if path is not None:
            yield path
            if path.is_dir():
                yield from chain.from_iterable(map(path.glob, _READ_IN_FOLDERS))
