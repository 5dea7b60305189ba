"""The formats of predictions files, in one table that loads no library."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from finding_nemo.core.errors import SettingsError
from finding_nemo.core.names.registries import find_entry, registry


@dataclass(frozen=True, slots=True, kw_only=True)
class PredictionFormat:
    """One format.

    Attributes:
        name: As given to `--format`.
        about: One line for people.
        suffixes: Of its files.
        writer: "module:function"; it takes the tables of rows, the path and an `OutputRequest`,
            and returns how many rows it wrote.
        reader: "module:function"; it takes the path and, by keyword, `verify`, and returns
            `ReadColumns`. `None` where it is not read again.
        by_suffix: Whether the suffix alone asks for it; if not, a person must name it.
        keeps_lists: Whether it can hold the full probability vector and the embedding of a row.
        reads_back: Whether what is written is read again; where not, the reader takes files of
            earlier versions, and says of new ones what to read instead.
    """

    name: str
    about: str
    suffixes: tuple[str, ...]
    writer: str
    reader: str | None
    by_suffix: bool = True
    keeps_lists: bool = False
    reads_back: bool = True


Format = str  # a name of `FORMATS`

FORMATS: Mapping[str, PredictionFormat] = registry(
    PredictionFormat(
        name="parquet",
        about="columns with hashes, the usual one",
        suffixes=(".parquet",),
        writer="finding_nemo.results.writers:write_parquet",
        reader="finding_nemo.results.reading.parquet_reader:read_parquet",
        keeps_lists=True,
    ),
    PredictionFormat(
        name="csv",
        about="a table for people and spreadsheets",
        suffixes=(".csv",),
        writer="finding_nemo.results.spreadsheet:write_spreadsheet",
        reader="finding_nemo.results.reading.text_reader:read_csv",
        reads_back=False,
    ),
    PredictionFormat(
        name="jsonl",
        about="one JSON object a line",
        suffixes=(".jsonl", ".ndjson"),
        writer="finding_nemo.results.writers:write_jsonl",
        reader="finding_nemo.results.reading.text_reader:read_jsonl",
        keeps_lists=True,
    ),
    PredictionFormat(
        name="submission",
        about="what the competition takes",
        suffixes=(".csv",),
        writer="finding_nemo.results.writers:write_submission",
        reader=None,
        by_suffix=False,
    ),
)

# Of a name without a suffix, and of every shard.
DEFAULT_FORMAT = "parquet"

# What the suffix of a file says of its format.
SUFFIXES: Mapping[str, Format] = {"": DEFAULT_FORMAT} | {
    suffix: known.name for known in FORMATS.values() if known.by_suffix for suffix in known.suffixes
}


def check_format(name: str) -> Format:
    """Return `name` if it is one of `FORMATS`.

    Raises:
        SettingsError: If it is not.
    """
    return find_entry(FORMATS, name, kind="format").name


def choose_format(path: Path, wanted: str | None = None) -> Format:
    """Return the format of a predictions file: what its suffix says, or what is wanted.

    Raises:
        SettingsError: If the two disagree, or neither says one.
    """
    suffix = path.suffix.lower()
    by_name = SUFFIXES.get(suffix)
    if wanted is None:
        if by_name is None:
            raise SettingsError(
                f"The name {path.name!r} does not say in which format to write: {suffix} is "
                f"unknown. End it in {', '.join(filter(None, SUFFIXES))}, or give the format "
                f"({', '.join(FORMATS)})."
            )
        return by_name
    chosen = find_entry(FORMATS, wanted, kind="format")
    fits = not suffix or suffix in chosen.suffixes
    if not fits and not chosen.by_suffix:
        usual = chosen.suffixes[0]
        raise SettingsError(
            f"A {chosen.name} is a {usual.lstrip('.').upper()} file, and {path.name!r} does not "
            f"end in {usual}. Rename it."
        )
    if not fits and by_name is not None:
        raise SettingsError(
            f"The format {chosen.name} and the name {path.name!r} disagree: {suffix} is {by_name}. "
            "Change one, or leave the format out."
        )
    return chosen.name


def readable_format(path: Path) -> PredictionFormat | None:
    """Return the format that `path` is read in, by its suffix; `None` if there is none."""
    suffix = path.suffix.lower()
    readable = (known for known in FORMATS.values() if known.reader is not None)
    return next((known for known in readable if suffix in known.suffixes), None)
