"""The names of the categories of a bundle, a data set or a list."""

from __future__ import annotations

from pathlib import Path

from finding_nemo.core.errors import NamesError
from finding_nemo.core.files.table_files import read_table
from finding_nemo.core.files.text_files import read_lines
from finding_nemo.core.text.cells import undefused
from finding_nemo.data.dataset import read_dataset
from finding_nemo.marine.names_file import names_path_beside
from finding_nemo.models.bundle.bundle import Bundle, load_bundle

_MANIFEST = "bundle.json"


def category_names(path: Path) -> tuple[str, ...]:
    """Return the names of categories, each once and in order.

    Args:
        path: A bundle or its run folder; a text file with one name a line; a CSV file with a
            column `name`, such as the competition's category_key.csv; or a data set.

    Raises:
        NamesError: If a list holds no name.
        BundleError: If the bundle cannot be read.
        DatasetError: If the data set cannot be read.
    """
    bundle = _bundle_at(path)
    if bundle is not None:
        return bundle.categories.names
    if path.is_file() and path.suffix.lower() == ".txt":
        return _listed(path, tuple(line.strip() for line in read_lines(path, refusal=NamesError)))
    if path.is_file() and path.suffix.lower() in (".csv", ".tsv"):
        try:
            rows = read_table(path, required=("name",), refusal=NamesError).rows
        except NamesError:
            return read_dataset(path).categories.names
        return _listed(path, tuple(undefused(row.values["name"]).strip() for row in rows))
    return read_dataset(path).categories.names


def names_path_of(path: Path) -> Path:
    """Return where the table of names of `path` stands; of a run folder beside its bundle."""
    bundle = _bundle_at(path)
    return names_path_beside(path if bundle is None else bundle.path)


def _bundle_at(path: Path) -> Bundle | None:
    folders = (path, path / "bundle")
    return load_bundle(path) if any((each / _MANIFEST).is_file() for each in folders) else None


def _listed(path: Path, names: tuple[str, ...]) -> tuple[str, ...]:
    found = tuple(dict.fromkeys(name for name in names if name))
    if not found:
        raise NamesError(f"{path} holds no name; write one a line.")
    return found
