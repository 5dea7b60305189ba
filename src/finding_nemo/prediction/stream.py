"""Predictions as they come, and as a table or a file where one is wanted."""

from __future__ import annotations

from collections.abc import Generator, Iterator, Mapping
from functools import partial
from itertools import islice
from math import nan
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

import numpy as np
import pyarrow as pa

from finding_nemo.core.assessment import PredictionOrigin
from finding_nemo.core.errors import MissingExtraError
from finding_nemo.core.records import Prediction
from finding_nemo.core.text.short_repr import ShortRepr
from finding_nemo.core.text.wrong_argument import check_path
from finding_nemo.models.bundle.bundle import Bundle
from finding_nemo.models.bundle.training_split import training_split_metadata
from finding_nemo.prediction.guess_maps import maps_metadata
from finding_nemo.prediction.run.uncertainty_metadata import evidence_of
from finding_nemo.results.columns import to_table
from finding_nemo.results.memory_table import table_of_rows
from finding_nemo.results.merge_shards import most_frequent_first
from finding_nemo.results.prediction_formats import Format
from finding_nemo.results.schema import (
    USUAL_SPREADSHEET,
    Columns,
    PredictionTable,
    SpreadsheetLayout,
)
from finding_nemo.results.writers import write_tables
from finding_nemo.uncertainty.domain_check import DomainCounter

if TYPE_CHECKING:
    import pandas as pd

_ROWS_AT_A_TIME = 256


class PredictionStream(ShortRepr, Iterator[Prediction]):
    """Predictions, one an image, in order; each is computed when it is asked for.

    What makes a table or a file of it takes the predictions that are left.

    Example:
        >>> predictor.predict("frames/").to_csv("frames.csv")  # doctest: +SKIP
        >>> predictor.predict("frames/").to_pandas()  # doctest: +SKIP
    """

    def __init__(
        self,
        predictions: Generator[Prediction, None, None],
        bundle: Bundle,
        origin: PredictionOrigin,
        *,
        n_features: int = 0,
        map_grid: tuple[int, int] | None = None,
    ) -> None:
        """Pass on `predictions`, which `bundle` makes."""
        self._predictions, self._bundle, self._origin = predictions, bundle, origin
        self._domain = DomainCounter()
        self._n_passed = 0
        self._columns = Columns(
            n_categories=len(bundle.categories),
            with_time=True,
            n_features=n_features,
            category_names=bundle.categories.names,
            map_grid=map_grid,
        )

    def __iter__(self) -> Self:
        return self

    def __next__(self) -> Prediction:
        prediction = next(self._predictions)
        self._n_passed += 1
        return prediction

    def close(self) -> None:
        """Predict no more; threads and files are let go at once."""
        self._predictions.close()

    def facts(self) -> Mapping[str, object]:
        """Return what predicts, and how far it is."""
        return {"bundle": self._bundle.path, "predicted_so_far": self._n_passed}

    def to_arrow(self) -> pa.Table:
        """Return those that are left as an Arrow table with the columns of a predictions file."""
        return pa.concat_tables([self._columns.schema().empty_table(), *self._tables()])

    def to_table(self) -> PredictionTable:
        """Return those that are left as `read_predictions` would from a file of them.

        Raises:
            PredictionsError: If an image id stands twice.
        """
        return table_of_rows(self.to_arrow(), self._metadata(Path.cwd()))

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
        layout = SpreadsheetLayout(guesses, ids)
        return self._write(path, "csv", "to_csv()", overwrite=overwrite, layout=layout)

    def to_parquet(self, path: Path | str, *, overwrite: bool = False) -> int:
        """Write those that are left as a predictions file, and return how many there were.

        Args:
            path: The file, which every command reads; it appears when it is whole.
            overwrite: Whether it may be there already.

        Raises:
            OutputExistsError: If it is there and `overwrite` is not set.
        """
        return self._write(path, "parquet", "to_parquet()", overwrite=overwrite)

    def to_submission(self, path: Path | str, *, overwrite: bool = False) -> int:
        """Write those that are left as the competition takes them and return how many there were.

        An image that could not be read guesses the most frequent training categories.

        Args:
            path: The CSV file, `id,categories,osd`; it appears when it is whole.
            overwrite: Whether it may be there already.

        Raises:
            OutputExistsError: If it is there and `overwrite` is not set.
        """
        return self._write(path, "submission", "to_submission()", overwrite=overwrite)

    def _write(
        self,
        path: Path | str,
        file_format: Format,
        where: str,
        *,
        overwrite: bool,
        layout: SpreadsheetLayout = USUAL_SPREADSHEET,
    ) -> int:
        check_path(path, where, "the path of a file to write")
        return write_tables(
            self._tables(),
            Path(path),
            schema=self._columns.schema(),
            metadata=partial(self._metadata, Path(path).parent),
            fallback_ids=most_frequent_first(evidence_of(self._bundle)),
            file_format=file_format,
            overwrite=overwrite,
            layout=layout,
        )

    def _tables(self) -> Iterator[pa.Table]:
        while rows := list(islice(self, _ROWS_AT_A_TIME)):
            table = to_table(rows, self._bundle.categories.ids, self._columns)
            unusual = [nan if row is None else row for row in table["unusualness"].to_pylist()]
            self._domain.add(np.array(unusual), table["dive"].to_pylist())
            yield table

    def _metadata(self, folder: Path) -> dict[str, Any]:
        """Return what belongs beside the rows in `folder`, once they have passed."""
        checked = self._domain.verdict()
        return {
            **self._origin.metadata,
            "domain_check": None if checked is None else checked.to_json(),
            **maps_metadata(self._columns),
            **training_split_metadata(self._bundle, folder),
        }
