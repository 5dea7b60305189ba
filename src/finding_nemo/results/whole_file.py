"""What a predictions file can say only when all its rows are known: ranks, and the domain check."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import datetime, time
from typing import Any

import numpy as np
import pyarrow as pa

from finding_nemo.core.arrays import Float64s, Ints
from finding_nemo.results.reading.answer_columns import LOOK_FIRST
from finding_nemo.uncertainty.domain_check import DomainCheck, DomainCounter
from finding_nemo.uncertainty.look_first import guess_doubt, rank_look_first

# Columns that are read for it; those that a file lacks count as unknown.
SURVEYED = ("dive", "captured", "time_s", "probabilities", "unusualness", "answer")
# Ranks need some columns of all rows at once, 60 bytes a row. Who has more looks at its dives.
MOST_RANKED = 2_000_000
_EPOCH = datetime(1970, 1, 1)


@dataclass
class WholeFile:
    """Takes rows as they come."""

    _domain: DomainCounter = field(default_factory=DomainCounter)
    _columns: dict[str, list[Float64s]] = field(default_factory=dict)
    _dives: list[str | None] = field(default_factory=list)
    _answers: list[str] = field(default_factory=list)
    n_rows: int = 0

    def add(self, rows: pa.Table) -> None:
        """Take rows of a predictions file, in order."""
        unusual = _numbers(rows, "unusualness")
        dives = _values(rows, "dive")
        self._domain.add(unusual, dives)
        self.n_rows += len(rows)
        if self.n_rows > MOST_RANKED:
            self._columns, self._dives, self._answers = {}, [], []
            return
        best = _values(rows, "probabilities")
        top, second = (
            np.array([values[k] if values and len(values) > k else np.nan for values in best])
            for k in (0, 1)
        )
        for name, values in (
            ("unusual", unusual),
            ("doubt", guess_doubt(top, second)),
            ("times", _times_s(rows)),
        ):
            self._columns.setdefault(name, []).append(values)
        self._dives += dives
        self._answers += [answer or "" for answer in _values(rows, "answer")]

    def domain_check(self) -> DomainCheck | None:
        """Return whether the frames look like those of the training."""
        return self._domain.verdict()

    def ranks(self) -> Ints | None:
        """Return which frames to look at first, from 1 in each dive, 0 for all others.

        `None` where there are too many rows.
        """
        if not 0 < self.n_rows <= MOST_RANKED:
            return None
        unusual, doubt, times = (
            np.concatenate(self._columns[name]) for name in ("unusual", "doubt", "times")
        )
        return rank_look_first(unusual, doubt, self._dives, times_s=times, answers=self._answers)


def surveyed(tables: Iterable[pa.Table]) -> WholeFile:
    """Return what all rows say together."""
    whole = WholeFile()
    for rows in tables:
        whole.add(rows)
    return whole


def with_ranks(tables: Iterable[pa.Table], ranks: Ints | None) -> Iterator[pa.Table]:
    """Yield the same rows with `look_first` filled, where the rows have that column.

    Args:
        tables: All rows of a file, in order.
        ranks: From `WholeFile.ranks`.
    """
    start = 0
    for rows in tables:
        found = np.zeros(len(rows), dtype=np.int32)
        if ranks is not None:
            found = ranks[start : start + len(rows)].astype(np.int32)
        start += len(rows)
        place = rows.schema.get_field_index(LOOK_FIRST.name)
        if place < 0:
            yield rows
            continue
        yield rows.set_column(place, LOOK_FIRST, pa.array(found, mask=found == 0))


def _values(rows: pa.Table, name: str) -> list[Any]:
    if name not in rows.column_names:
        return [None] * len(rows)
    values: list[Any] = rows.column(name).to_pylist()
    return values


def _numbers(rows: pa.Table, name: str) -> Float64s:
    return np.array([np.nan if v is None else v for v in _values(rows, name)], dtype=np.float64)


def _times_s(rows: pa.Table) -> Float64s:
    """Return seconds in the video, else since 1970; NaN where only the day is known."""
    in_video = _numbers(rows, "time_s")
    moments = (
        np.nan if moment is None or moment.time() == time.min else (moment - _EPOCH).total_seconds()
        for moment in _values(rows, "captured")
    )
    on_clock = np.fromiter(moments, np.float64, len(rows))
    return np.where(np.isnan(in_video), on_clock, in_video)
