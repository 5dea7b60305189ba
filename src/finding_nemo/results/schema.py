"""The columns of a predictions file and what travels beside them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from finding_nemo.core.errors import PredictionsError, SettingsError
from finding_nemo.core.text.short_repr import ShortRepr
from finding_nemo.results.reading.answer_columns import ANSWER_FIELDS, LOOK_FIRST, AnswerColumns
from finding_nemo.results.reading.assessment_columns import ASSESSMENT_FIELDS, AssessmentColumns

# What a file's metadata call the bundle's own numbers of the adaptation.
ADAPTATION_SETTINGS = "adaptation_settings"
SCHEMA_VERSION = 1
METADATA_KEY = b"finding_nemo"
TOP_K = 20
# A row holds maps of so many of its best guesses.
N_MAPS = 5


@dataclass(frozen=True, slots=True)
class SpreadsheetLayout:
    """What a CSV file for people holds.

    Attributes:
        guesses: How many guesses stand in a row, 1 to 20.
        with_ids: Whether ids stand beside the names, and the table of categories beside the file.

    Raises:
        SettingsError: If `guesses` is out of range.
    """

    guesses: int = 5
    with_ids: bool = False

    def __post_init__(self) -> None:
        if not 1 <= self.guesses <= TOP_K:
            raise SettingsError(f"A row holds 1 to {TOP_K} guesses, not {self.guesses}.")


USUAL_SPREADSHEET = SpreadsheetLayout()


@dataclass(frozen=True, slots=True)
class Columns:
    """Which columns a predictions file has beside those that all have.

    Attributes:
        n_categories: Length of `vector`.
        with_vector: Whether every probability is kept.
        with_time: Whether rows may be frames of a video (`time_s`).
        n_features: Length of `embedding`; 0 leaves it out.
        category_names: The name of each category in column order; empty where unknown.
        map_grid: Rows and columns of each of `maps`; `None` leaves them out.
    """

    n_categories: int
    with_vector: bool = True
    with_time: bool = False
    n_features: int = 0
    category_names: tuple[str, ...] = ()
    map_grid: tuple[int, int] | None = None

    def schema(self) -> pa.Schema:
        """Return the Arrow schema of the file."""
        fields = [
            pa.field("image_id", pa.string(), nullable=False),
            pa.field("path", pa.string(), nullable=False),
            *([pa.field("time_s", pa.float64())] if self.with_time else []),
            pa.field("dive", pa.string()),
            pa.field("captured", pa.timestamp("ms")),
            pa.field("width", pa.int32()),
            pa.field("height", pa.int32()),
            pa.field("failure", pa.string()),
            pa.field("categories", pa.list_(pa.int32())),
            pa.field("names", pa.list_(pa.string())),
            pa.field("probabilities", pa.list_(pa.float32())),
            pa.field("novelty", pa.float64()),
            *ASSESSMENT_FIELDS,
            *ANSWER_FIELDS,
            LOOK_FIRST,
        ]
        if self.with_vector:
            fields.append(pa.field("vector", pa.list_(pa.float32(), self.n_categories)))
        if self.n_features:
            fields.append(pa.field("embedding", pa.list_(pa.float32(), self.n_features)))
        if self.map_grid:
            fields.append(pa.field("maps", pa.list_(pa.uint8())))
        return pa.schema(fields)


def parquet_options(schema: pa.Schema) -> dict[str, Any]:
    """Return how the columns of `schema` are packed in Parquet.

    Probabilities seldom repeat: a dictionary of them, which is the default, took 1.6 times the
    space and 3.6 times the time (290 categories: 1,836 bytes a row against 1,126). Their bytes
    are sorted by significance instead, which zstd then packs. Each page has a checksum, so that a
    reader of some columns only finds damage in them.
    """
    lists = {field.name: field for field in schema if not _is_plain(field.type)}
    numbers = [name for name in lists if pa.types.is_floating(lists[name].type.value_type)]
    plain = [field.name for field in schema if _is_plain(field.type)]
    return {
        "compression": "zstd",
        "write_page_checksum": True,
        "use_dictionary": plain + [_leaf(name) for name in lists if name not in numbers],
        "use_byte_stream_split": [_leaf(name) for name in numbers],
    }


def _is_plain(arrow_type: pa.DataType) -> bool:
    return not (pa.types.is_list(arrow_type) or pa.types.is_fixed_size_list(arrow_type))


def _leaf(name: str) -> str:
    return f"{name}.list.element"


@dataclass(frozen=True, repr=False)
class PredictionTable(ShortRepr):
    """A predictions file, read.

    Attributes:
        image_ids: One a row, in input order.
        paths: The file of each row as the user named it.
        widths: Frame width in px, `None` where the image could not be read.
        heights: Frame height in px, `None` where the image could not be read.
        failures: Why a row has no guesses, or `None`.
        ranked_ids: The best category ids of each row (20 at most), best first: in the order that
            "ranking" in the metadata tells, else of probability.
        ranked_probabilities: Their probabilities.
        novelty: Higher = further out, shape (images,); NaN on failure.
        vector: Every probability, float32, shape (images, categories), NaN rows on failure;
            `None` where the file does not hold it.
        category_ids: The category of each column of `vector`; empty where unknown.
        metadata: Provenance and the bundle's category table with its evidence.
        times_s: Seconds since its video's first frame of each row, `None` where it is no frame of
            a video; empty where no row is.
        assessment: How far to trust each row; `None` in a file without it.
        answers: The one answer to each row; `None` in a file without them.
        dives: The dive of each row, `None` where unknown; empty where no row has one.
        captured: When each row was filmed (UTC), `None` where unknown; empty where no row is known.

    Example:
        >>> table = finding_nemo.read_predictions("dive.parquet")  # doctest: +SKIP
        >>> table.image_ids[0], table.ranked_ids[0][:3]  # doctest: +SKIP
    """

    image_ids: tuple[str, ...]
    paths: tuple[str, ...]
    widths: tuple[int | None, ...]
    heights: tuple[int | None, ...]
    failures: tuple[str | None, ...]
    ranked_ids: tuple[tuple[int, ...], ...]
    ranked_probabilities: tuple[tuple[float, ...], ...]
    novelty: npt.NDArray[np.float64]
    vector: npt.NDArray[np.float32] | None
    category_ids: tuple[int, ...]
    metadata: dict[str, Any]
    times_s: tuple[float | None, ...] = ()
    assessment: AssessmentColumns | None = None
    answers: AnswerColumns | None = None
    dives: tuple[str | None, ...] = ()
    captured: tuple[datetime | None, ...] = ()

    def __len__(self) -> int:
        return len(self.image_ids)

    def facts(self) -> Mapping[str, object]:
        """Return how many rows there are, and what made them."""
        return {
            "images": len(self),
            "failed": sum(failure is not None for failure in self.failures),
            "categories": len(self.category_ids) or "not known",
            "recipe": self.metadata.get("recipe", "not known"),
            "bundle": self.metadata.get("bundle_hash", "not known"),
        }

    def probabilities_in(self, category_ids: Sequence[int]) -> npt.NDArray[np.float64]:
        """Return probabilities with the columns of `category_ids`, shape (images, categories).

        Where the file holds only the 20 best, the rest is 0; failed rows are NaN.

        Raises:
            PredictionsError: If the file guesses a category that is not in `category_ids`.
        """
        columns = {category_id: column for column, category_id in enumerate(category_ids)}
        self._refuse_unknown(columns)
        out = np.zeros((len(self), len(columns)))
        if self.vector is not None and self.category_ids:
            kept = [columns[category_id] for category_id in self.category_ids]
            out[:, kept] = self.vector
        else:
            for row, ids in enumerate(self.ranked_ids):
                out[row, [columns[number] for number in ids]] = self.ranked_probabilities[row]
        failed = [row for row, failure in enumerate(self.failures) if failure is not None]
        out[failed] = np.nan
        return out

    def ranking_scores_in(self, category_ids: Sequence[int]) -> npt.NDArray[np.float64]:
        """Return scores, shape (images, categories), whose order is the one that the file shows.

        The guesses of a row come first, in its order, as scores above 1; the rest have their
        probability. Failed rows are NaN.

        Raises:
            PredictionsError: If the file guesses a category that is not in `category_ids`.
        """
        out = self.probabilities_in(category_ids)
        columns = {category_id: column for column, category_id in enumerate(category_ids)}
        for row, ids in enumerate(self.ranked_ids):
            out[row, [columns[number] for number in ids]] = 1.0 + np.arange(len(ids), 0, -1)
        return out

    def _refuse_unknown(self, columns: dict[int, int]) -> None:
        guessed = set(self.category_ids)
        if self.vector is None or not guessed:
            guessed = {number for ids in self.ranked_ids for number in ids}
        unknown = sorted(guessed - columns.keys())
        if unknown:
            raise PredictionsError(
                f"The predictions guess category id {unknown[0]} ({len(unknown)} such ids), which "
                "the data set does not have, and the names of the categories do not tell which is "
                "which. Put the table of the bundle's categories beside the data set, as "
                "category_key.csv with id,name,supercat."
            )
