"""One predictor in many threads says what it says in one."""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest
from threadpoolctl import threadpool_info

from finding_nemo import Prediction, Predictor

_Values = tuple[str, str | None, npt.NDArray[np.float32] | None, float | None]
_THREADS = 8


def _values(rows: Sequence[Prediction]) -> list[_Values]:
    return [(row.image_id, row.failure, row.probabilities, row.novelty) for row in rows]


def _assert_equal(found: list[_Values], wanted: list[_Values]) -> None:
    assert [row[:2] for row in found] == [row[:2] for row in wanted]
    for here, there in zip(found, wanted, strict=True):
        np.testing.assert_array_equal(here[2], there[2])
        assert here[3] == there[3]


@pytest.fixture(scope="module")
def paths(many_frames: Path) -> list[Path]:
    """Frames of which one is damaged."""
    return sorted((many_frames / "dive1").glob("*.png"))[:24]


@pytest.mark.parametrize("threads", [1, 2])
def test_eight_threads__predict_what_one_does(
    small_bundle: Path, paths: list[Path], threads: int
) -> None:
    wanted = _values(list(Predictor(small_bundle, threads=threads).predict(paths)))
    # The network is opened, and all else made, by whichever thread comes first.
    shared = Predictor(small_bundle, threads=threads)
    with ThreadPoolExecutor(_THREADS) as pool:
        results = list(pool.map(lambda _: list(shared.predict(paths)), range(3 * _THREADS)))
        single = list(pool.map(lambda path: next(shared.predict(path)), paths))
    for rows in results:
        _assert_equal(_values(rows), wanted)
    _assert_equal(_values(single), wanted)


def test_streams__can_be_gone_through_in_turns(small_bundle: Path, paths: list[Path]) -> None:
    predictor = Predictor(small_bundle, threads=2)
    wanted = _values(list(predictor.predict(paths)))
    before = {lib["filepath"]: lib["num_threads"] for lib in threadpool_info()}
    streams = [predictor.predict(paths) for _ in range(4)]
    turns = [[next(stream) for stream in streams] for _ in paths]
    for rows in zip(*turns, strict=True):
        _assert_equal(_values(rows), wanted)
    for stream in streams:
        assert next(stream, None) is None
    unfinished = predictor.predict(paths)
    next(unfinished)
    unfinished.close()
    after = {lib["filepath"]: lib["num_threads"] for lib in threadpool_info()}
    assert {name: after[name] for name in before} == before
