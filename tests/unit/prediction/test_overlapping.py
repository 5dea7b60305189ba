"""Predictions that overlap, in threads, in turns and in forked processes."""

from __future__ import annotations

import multiprocessing
import os
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from threadpoolctl import threadpool_info, threadpool_limits

from finding_nemo.core.errors import EngineError
from finding_nemo.core.names.inference_names import RuntimeOption
from finding_nemo.models.inference.open_bundle_network import InferenceOptions
from finding_nemo.prediction.predictor import Predictor
from finding_nemo.prediction.run.one_thread import OneThread

LIMIT_S = 60


def blas_threads() -> set[int]:
    return {lib["num_threads"] for lib in threadpool_info() if lib["user_api"] == "blas"}


@pytest.fixture(autouse=True)
def usual() -> Iterator[set[int]]:
    """How many threads linear algebra has before and, whatever happens, after."""
    before = blas_threads()
    if before & {1} or not before:
        pytest.skip("linear algebra has one thread on this machine")
    yield before
    assert blas_threads() == before


def in_a_thread(function: Callable[[], None]) -> None:
    thread = threading.Thread(target=function)
    thread.start()
    thread.join()


def test_one_thread__is_held_by_many_and_lifted_by_the_last(usual: set[int]) -> None:
    limit = OneThread()
    limit.__enter__()
    limit.__enter__()
    limit.__exit__(None, None, None)
    assert blas_threads() == {1}
    limit.__exit__(None, None, None)
    assert blas_threads() == usual


def test_one_thread__is_lifted_in_another_thread_than_it_was_set_in(usual: set[int]) -> None:
    limit = OneThread()
    in_a_thread(limit.__enter__)
    assert blas_threads() == {1}
    limit.__enter__()
    in_a_thread(lambda: limit.__exit__(None, None, None))
    assert blas_threads() == {1}
    in_a_thread(lambda: limit.__exit__(None, None, None))
    assert blas_threads() == usual


def test_one_thread__goes_before_a_limit_of_the_caller(usual: set[int]) -> None:
    with threadpool_limits(2, user_api="blas"):
        with OneThread():
            assert blas_threads() == {1}
        assert blas_threads() == {2}
    assert blas_threads() == usual


def test_one_thread__is_lifted_after_an_error() -> None:
    with pytest.raises(ValueError, match="x"), OneThread():
        raise ValueError("x")


def test_predictions_in_turns__leave_linear_algebra_as_it_was(
    small_bundle: Path, tiny_folder: Path, usual: set[int]
) -> None:
    predictor = Predictor(small_bundle)
    first, second = (predictor.predict([str(tiny_folder)]) for _ in range(2))
    found = [next(first).image_id, next(second).image_id]
    assert blas_threads() == {1}
    found += [row.image_id for row in first]
    assert blas_threads() == {1}
    found += [row.image_id for row in second]
    assert len(found) == 60
    assert blas_threads() == usual


def test_predictions_that_are_dropped__leave_linear_algebra_as_it_was(
    small_bundle: Path, tiny_folder: Path, usual: set[int]
) -> None:
    begun = Predictor(small_bundle, threads=1).predict([str(tiny_folder)])
    next(begun)
    begun.close()
    assert blas_threads() == usual


def test_predictions_in_threads__leave_linear_algebra_as_it_was(
    small_bundle: Path, tiny_folder: Path
) -> None:
    predictors = [Predictor(small_bundle, threads=2) for _ in range(4)]
    with ThreadPoolExecutor(4) as pool:
        counts = list(pool.map(lambda p: len(list(p.predict([str(tiny_folder)]))), predictors))
    assert counts == [30] * 4


def forked(function: Any, *arguments: Any) -> Any:
    """Return what `function` gives in a forked process, or that it hangs."""
    context = multiprocessing.get_context("fork")
    here, there = context.Pipe(duplex=False)
    child = context.Process(target=_answer, args=(there, function, arguments))
    child.start()
    try:
        assert here.poll(LIMIT_S), "the forked process hangs"
        return here.recv()
    finally:
        child.kill()
        child.join()


def _answer(pipe: Any, function: Any, arguments: Any) -> None:
    try:
        pipe.send(function(*arguments))
    except Exception as error:
        pipe.send(error)


def _probabilities(predictor: Predictor, folder: str) -> list[Any]:
    return [row.probabilities for row in predictor.predict([folder])]


@pytest.mark.slow
@pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork here")
@pytest.mark.filterwarnings("ignore:.*fork.*:DeprecationWarning")
@pytest.mark.parametrize("runtime", ["onnxruntime", "openvino"])
@pytest.mark.parametrize("is_open", [True, False])
def test_a_forked_process__predicts_the_same_or_says_what_to_do(
    runtime: RuntimeOption, *, is_open: bool, small_bundle: Path, tiny_folder: Path
) -> None:
    if runtime == "openvino":
        pytest.importorskip("openvino")
    wish = InferenceOptions(runtime=runtime)
    predictor = Predictor(small_bundle, network=wish)
    before = _probabilities(predictor, str(tiny_folder))
    there = predictor if is_open else Predictor(small_bundle, network=wish)
    found = forked(_probabilities, there, str(tiny_folder))
    if runtime == "openvino":
        assert isinstance(found, EngineError)
        assert "get_context('spawn')" in str(found)
    else:
        assert not isinstance(found, Exception), found
        np.testing.assert_array_equal(np.stack(found), np.stack(before))
    again = _probabilities(predictor, str(tiny_folder))
    np.testing.assert_array_equal(np.stack(again), np.stack(before))
