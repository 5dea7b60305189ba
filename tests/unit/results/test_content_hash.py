"""One hash for what rows say, whatever their cut, and the same in every version."""

from __future__ import annotations

from datetime import datetime

import pyarrow as pa
import pytest

from finding_nemo.results.content_hash import ContentHash


def digest(table: pa.Table, rows: int) -> str:
    found = ContentHash(table.schema)
    for start in range(0, len(table), rows):
        found.add(table.slice(start, rows))
    return found.hexdigest()


def test_hash__of_the_columns_of_before_is_that_of_before() -> None:
    table = pa.table(
        {
            "a": pa.array(["x", None, "ymü"]),
            "b": pa.array([[1, 2], None, []], pa.list_(pa.int32())),
            "c": pa.array([0.5, None, 1.0]),
            "d": pa.array([[1.0, 2.0], [3.0, 4.0], None], pa.list_(pa.float32(), 2)),
        }
    )
    expected = "2451e0fb5abf0b9f31c6ecd4d596c852a4e2d0087ae5304a97a7bee90dcdfa7a"
    assert [digest(table, rows) for rows in (1, 2, 3)] == [expected] * 3


_NAMES = [["eel", "crab"], None, [], ["", "ä"]]


@pytest.mark.parametrize(
    ("name", "changed"),
    [
        ("names", [["eelcrab"], None, [], ["", "ä"]]),
        ("names", [["eelc", "rab"], None, [], ["", "ä"]]),
        ("names", [["eel", "crab", ""], None, [], ["ä"]]),
        ("names", [["eel", "crab"], [], None, ["", "ä"]]),
        ("captured", [datetime(2014, 7, 14), None, None, datetime(2014, 7, 15)]),
    ],
)
def test_hash__tells_lists_of_names_and_times_apart(name: str, changed: list[object]) -> None:
    times = [datetime(2014, 7, 14), None, datetime(2014, 7, 15), None]
    schema = pa.schema(
        [pa.field("names", pa.list_(pa.string())), pa.field("captured", pa.timestamp("ms"))]
    )
    values = {"names": _NAMES, "captured": times}
    table = pa.table(values, schema=schema)
    assert len({digest(table, rows) for rows in (1, 2, 3, 4)}) == 1
    other = pa.table({**values, name: changed}, schema=schema)
    assert digest(other, 4) != digest(table, 4)
