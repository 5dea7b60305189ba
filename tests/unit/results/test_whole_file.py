"""What a predictions file says only when all its rows are known."""

from __future__ import annotations

from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa

from finding_nemo.results.reading.readers import read_predictions
from finding_nemo.results.schema import Columns
from finding_nemo.results.whole_file import SURVEYED, surveyed, with_ranks
from finding_nemo.results.writers import write_tables
from finding_nemo.uncertainty.look_first import guess_doubt, rank_look_first

_N = 60
_START = datetime(2014, 7, 14, 10)


def rows(**changes: Any) -> pa.Table:
    """Return sixty frames of two dives, a minute apart; the last one failed."""
    rng = np.random.default_rng(0)
    best = np.sort(rng.random((_N, 2)), axis=1)[:, ::-1].astype(np.float32)
    known = [None if k == _N - 1 else k for k in range(_N)]
    values: dict[str, Any] = {
        "image_id": [f"i{k}" for k in range(_N)],
        "path": [f"{k}.png" for k in range(_N)],
        "dive": [f"D {k % 2}" for k in range(_N)],
        "captured": [_START + timedelta(minutes=k) for k in range(_N)],
        "failure": [None if k is not None else "is empty" for k in known],
        "categories": [None if k is None else [1, 2] for k in known],
        "probabilities": [None if k is None else best[k].tolist() for k in known],
        "unusualness": [None if k is None else float(rng.random()) for k in known],
        "answer": [None if k is None else f"a{k % 3}" for k in known],
        **changes,
    }
    schema = Columns(2, with_vector=False).schema()
    return pa.table(
        {field.name: pa.array(values.get(field.name, [None] * _N), field.type) for field in schema}
    )


def cut(table: pa.Table, size: int) -> list[pa.Table]:
    return [table.slice(start, size) for start in range(0, len(table), size)]


def test_ranks__are_those_of_all_rows_at_once_whatever_their_cut() -> None:
    table = rows()
    best = [values or [np.nan, np.nan] for values in table["probabilities"].to_pylist()]
    unusual = [np.nan if u is None else u for u in table["unusualness"].to_pylist()]
    expected = rank_look_first(
        np.array(unusual),
        guess_doubt(np.array([b[0] for b in best]), np.array([b[1] for b in best])),
        table["dive"].to_pylist(),
        times_s=np.arange(_N) * 60.0,
        answers=[answer or "" for answer in table["answer"].to_pylist()],
    )
    assert expected.max() == 3  # a tenth of thirty frames
    for size in (1, 7, _N):
        whole = surveyed(part.select(SURVEYED[:2] + SURVEYED[3:]) for part in cut(table, size))
        found = whole.ranks()
        assert found is not None
        assert found.tolist() == expected.tolist()
        filled = pa.concat_tables(with_ranks(cut(table, size), found))
        assert filled.schema.equals(table.schema)
        assert filled["look_first"].to_pylist() == [rank or None for rank in expected.tolist()]


def test_times__of_a_bare_date_are_unknown_and_those_of_a_video_come_first() -> None:
    days = rows(captured=[datetime(2014, 7, 14)] * _N)
    ordered = surveyed([days]).ranks()
    assert ordered is not None
    assert ordered.tolist() == surveyed([rows(captured=[None] * _N)]).ranks().tolist()  # type: ignore[union-attr]
    seconds = pa.array(np.zeros(_N))
    at_once = surveyed([rows().append_column("time_s", seconds)]).ranks()
    assert at_once is not None
    assert at_once.max() == 1  # all of a dive at one time: one look is enough


def test_domain__of_all_rows_and_none_without_a_reference() -> None:
    assert surveyed([rows(unusualness=[None] * _N)]).domain_check() is None
    far = surveyed(cut(rows(unusualness=[1.0] * (_N - 1) + [None]), 9)).domain_check()
    assert far is not None
    assert (far.verdict, far.n_images, far.n_dives) == ("foreign", _N - 1, 2)


def test_rows__of_an_earlier_version_pass_unchanged_and_none_are_no_fault() -> None:
    table = rows().drop_columns(["look_first", "dive", "captured", "answer"])
    whole = surveyed([table])
    assert whole.domain_check() is not None
    assert list(with_ranks([table], whole.ranks())) == [table]
    assert surveyed([]).ranks() is None


def test_file__gives_back_dives_times_and_ranks(tmp_path: Path) -> None:
    table = rows()
    whole = surveyed([table])
    for name in ("p.parquet", "p.jsonl"):
        write_tables(
            with_ranks([table], whole.ranks()),
            tmp_path / name,
            schema=table.schema,
            metadata=lambda: {"schema_version": 1},
            fallback_ids=[1],
        )
        found = read_predictions(tmp_path / name)
        assert found.dives[:2] == ("D 0", "D 1")
        assert found.captured[:2] == (_START, _START + timedelta(minutes=1))
        assert found.answers is not None
        assert found.answers.texts[:3] == ("a0", "a1", "a2")
        assert found.answers.texts[-1] is None
        assert sorted(rank for rank in found.answers.look_first if rank) == [1, 1, 2, 2, 3, 3]
