"""Predictions as they come, and as a table where one is wanted."""

from __future__ import annotations

from collections.abc import Generator, Iterator
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

import pyarrow as pa

from finding_nemo.core.errors import MissingExtraError
from finding_nemo.core.records import Prediction
from finding_nemo.models.bundle.bundle import Bundle, bundle_hash
from finding_nemo.prediction.postprocess import PostProcessor
from finding_nemo.prediction.run.uncertainty_metadata import evidence_of, uncertainty_metadata
from finding_nemo.results.columns import to_table
from finding_nemo.results.merge_shards import most_frequent_first
from finding_nemo.results.prediction_formats import Format
from finding_nemo.results.schema import (
    SCHEMA_VERSION,
    USUAL_SPREADSHEET,
    Columns,
    SpreadsheetLayout,
)
from finding_nemo.results.writers import write_tables

if TYPE_CHECKING:
    import pandas as pd

_ROWS_AT_A_TIME = 256


class PredictionStream(Iterator[Prediction]):
    """Predictions, one an image, in order; each is computed when it is asked for.

    Example:
        >>> predictor.predict("frames/").to_csv("frames.csv")  # doctest: +SKIP
    """

    def __init__(
        self,
        predictions: Generator[Prediction, None, None],
        bundle: Bundle,
        postprocessor: PostProcessor | None,
        *,
        n_features: int = 0,
    ) -> None:
        """Pass on `predictions`, which `bundle` and its `postprocessor` make."""
        self._predictions, self._bundle = predictions, bundle
        self._postprocessor = postprocessor
        self._columns = Columns(
            n_categories=len(bundle.categories),
            with_time=True,
            n_features=n_features,
            category_names=bundle.categories.names,
        )

    def __iter__(self) -> Self:
        return self

    def __next__(self) -> Prediction:
        return next(self._predictions)

    def close(self) -> None:
        """Predict no more; threads and files are let go at once."""
        self._predictions.close()

    def __repr__(self) -> str:
        return f"PredictionStream(bundle={self._bundle.path})"

    def to_arrow(self) -> pa.Table:
        """Return those that are left as an Arrow table with the columns of a predictions file."""
        return pa.concat_tables([self._columns.schema().empty_table(), *self._tables()])

    def to_pandas(self) -> pd.DataFrame:
        """Return those that are left as a pandas data frame.

        Raises:
            MissingExtraError: If pandas is not installed.
        """
        try:
            import pandas  # noqa: F401 - pyarrow makes the frame
        except ImportError:
            raise MissingExtraError(
                "A data frame needs pandas: pip install pandas. to_arrow() and to_csv() do not."
            ) from None
        return self.to_arrow().to_pandas()

    def to_csv(
        self, path: Path | str, *, guesses: int = 5, ids: bool = False, overwrite: bool = False
    ) -> int:
        """Write those that are left as a table for people, and return how many there were.

        Args:
            path: The file; it appears when it is whole.
            guesses: How many guesses stand in a row, 1 to 20.
            ids: Whether ids stand beside the names, and a table of categories beside the file.
            overwrite: Whether it may be there already.

        Raises:
            OutputExistsError: If it is there and `overwrite` is not set.
            SettingsError: If `guesses` is out of range.
        """
        return self._write(Path(path), "csv", overwrite, SpreadsheetLayout(guesses, ids))

    def to_parquet(self, path: Path | str, *, overwrite: bool = False) -> int:
        """Write those that are left as a predictions file, and return how many there were.

        Args:
            path: The file, which every command reads; it appears when it is whole.
            overwrite: Whether it may be there already.

        Raises:
            OutputExistsError: If it is there and `overwrite` is not set.
        """
        return self._write(Path(path), "parquet", overwrite, USUAL_SPREADSHEET)

    def _write(
        self, path: Path, file_format: Format, overwrite: bool, layout: SpreadsheetLayout
    ) -> int:
        return write_tables(
            self._tables(),
            path,
            schema=self._columns.schema(),
            metadata=self._metadata,
            fallback_ids=most_frequent_first(evidence_of(self._bundle)),
            file_format=file_format,
            overwrite=overwrite,
            layout=layout,
        )

    def _tables(self) -> Iterator[pa.Table]:
        while rows := list(islice(self, _ROWS_AT_A_TIME)):
            yield to_table(rows, self._bundle.categories.ids, self._columns)

    def _metadata(self) -> dict[str, Any]:
        manifest = self._bundle.manifest
        return {
            "schema_version": SCHEMA_VERSION,
            "bundle_hash": bundle_hash(self._bundle.path),
            "recipe": manifest.recipe,
            "settings": manifest.settings,
            "categories": evidence_of(self._bundle),
        } | uncertainty_metadata(self._postprocessor)
