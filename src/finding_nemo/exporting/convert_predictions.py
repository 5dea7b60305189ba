"""From Python: predictions handed on to archives and annotation tools."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from finding_nemo.core.records import Dataset
from finding_nemo.core.reporter import Reporter
from finding_nemo.core.text.wrong_argument import check_argument, check_path
from finding_nemo.exporting.positions.frame_positions import read_position_sources
from finding_nemo.exporting.taxon_names import names_lookup
from finding_nemo.exporting.write_export import (
    ExportRequest,
    ExportSummary,
    parse_words,
    write_export,
)


def convert(  # noqa: PLR0913 - each is one option of the command
    predictions: Path | str,
    *,
    to: str,
    out: Path | str,
    words: Sequence[str] = ("sure",),
    reviews: Path | str | None = None,
    navigation: Sequence[Path | str] = (),
    about: Path | str | None = None,
    dataset: Dataset | None = None,
    overwrite: bool = False,
    reporter: Reporter | None = None,
) -> ExportSummary:
    """Hand predictions on to OBIS, BIIGLE and other archives and annotation tools.

    Only what is sure enough is handed on, never that an animal is absent. Position, depth and time
    come from what is named here; nothing is made up, and what is missing is counted.

    Args:
        predictions: A predictions file (Parquet) with answers.
        to: A form of `finding-nemo convert --to`, such as "darwin-core" for OBIS.
        out: The file or folder to write; a folder's name that ends in .zip packs it.
        words: How sure an answer must be: "sure", "likely", "guess".
        reviews: What people saw, a table `id,categories`; it goes before the model's answers.
        navigation: Tables with positions by file name or by time.
        about: What people say of the data set, a TOML file.
        dataset: A data set that knows the images' dives and times.
        overwrite: Whether `out` may be there already.
        reporter: Told how far it is.

    Returns:
        `counts`, what became of the rows, and `notices`, what a person should know.

    Raises:
        ArgumentError: If an argument is of a kind that is not taken.
        PredictionsError: If the predictions cannot be used.
        ReviewsError: If the reviews cannot be used.
        DatasetError: If a table of positions cannot be used.
        SettingsError: If the form, a word, a name or the file of `about` cannot be used.
        OutputError: If `out` cannot be written.

    Example:
        >>> done = finding_nemo.convert(  # doctest: +SKIP
        ...     "dive.parquet", to="darwin-core", out="dive.zip", navigation=["nav.csv"]
        ... )
        >>> done.notices  # doctest: +SKIP
    """
    check_path(predictions, "convert()", "the path of a predictions file (Parquet)")
    check_argument(to, str, "convert(to=...)", "the name of a form, such as 'darwin-core'")
    check_path(out, "convert(out=...)", "the path of the file or folder to write")
    if isinstance(words, str):
        words = words.split(",")
    if dataset is not None:
        check_argument(dataset, Dataset, "convert(dataset=...)", "a Dataset")
    tables = [navigation] if isinstance(navigation, str | Path) else navigation
    request = ExportRequest(
        kind=to,
        words=parse_words(",".join(words)),
        reviews=None if reviews is None else Path(reviews),
        about=None if about is None else Path(about),
        positions=read_position_sources([Path(table) for table in tables]),
        dataset=dataset,
        lookup=names_lookup(),
        overwrite=overwrite,
    )
    return write_export(Path(predictions), Path(out), request, reporter=reporter)
