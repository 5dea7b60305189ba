"""Predictions that overlap, in threads, in turns and in forked processes."""

from __future__ import annotations

import multiprocessing
import os
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from threadpoolctl import threadpool_info, threadpool_limits

from finding_nemo.core.errors import EngineError
from finding_nemo.models.bundle import load_bundle
from finding_nemo.models.bundle_network import NetworkWish, open_bundle_network
from finding_nemo.models.engine import Runtime
from finding_nemo.prediction.one_thread import OneThread
from finding_nemo.prediction.predictor import Predictor

LIMIT_S = 60
PIXELS = np.full((1, 32, 32, 3), 77, np.uint8)


def blas_threads() -> set[int]:
    return {lib["num_threads"] for lib in threadpool_info() if lib["user_api"] == "blas"}


@pytest.fixture(autouse=True)
def two_threads() -> Iterator[None]:
    with threadpool_limits(2, user_api="blas"):
        if blas_threads() != {2}:
            pytest.skip("this machine's linear algebra takes no 2 threads")
        yield


def test_one_thread__is_held_by_many_and_lifted_by_the_last() -> None:
    limit = OneThread()
    first, second = limit, limit
    first.__enter__()
    assert blas_threads() == {1}
    second.__enter__()
    first.__exit__(None, None, None)
    assert blas_threads() == {1}
    second.__exit__(None, None, None)
    assert blas_threads() == {2}


def test_one_thread__is_lifted_after_an_error() -> None:
    limit = OneThread()
    with pytest.raises(ValueError, match="x"), limit:
        raise ValueError("x")
    assert blas_threads() == {2}


def test_predictions_in_turns__leave_linear_algebra_as_it_was(
    small_bundle: Path, tiny_folder: Path
) -> None:
    predictor = Predictor(small_bundle)
    first, second = (predictor.predict([str(tiny_folder)]) for _ in range(2))
    found = [next(first).image_id, next(second).image_id]
    assert blas_threads() <= {1, 2}
    found += [row.image_id for row in first]
    found += [row.image_id for row in second]
    assert len(found) == 60
    assert blas_threads() == {2}


def test_predictions_that_are_dropped__leave_linear_algebra_as_it_was(
    small_bundle: Path, tiny_folder: Path
) -> None:
    begun = Predictor(small_bundle, threads=1).predict([str(tiny_folder)])
    next(begun)
    assert blas_threads() == {2}  # between images the program is its owner's


def test_predictions_in_threads__leave_linear_algebra_as_it_was(
    small_bundle: Path, tiny_folder: Path
) -> None:
    predictors = [Predictor(small_bundle, threads=2) for _ in range(4)]
    with ThreadPoolExecutor(4) as pool:
        counts = list(pool.map(lambda p: len(list(p.predict([str(tiny_folder)]))), predictors))
    assert counts == [30] * 4
    assert blas_threads() == {2}


@pytest.fixture(params=["onnxruntime", "openvino"])
def runtime(request: pytest.FixtureRequest) -> Runtime:
    name: Runtime = request.param
    if name == "openvino":
        pytest.importorskip("openvino")
    return name


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
def test_a_forked_process__predicts_the_same(
    runtime: Runtime, small_bundle: Path, tiny_folder: Path
) -> None:
    predictor = Predictor(small_bundle, network=NetworkWish(runtime=runtime))
    before = _probabilities(predictor, str(tiny_folder))
    found = forked(_probabilities, predictor, str(tiny_folder))
    assert not isinstance(found, Exception), found
    np.testing.assert_array_equal(np.stack(found), np.stack(before))
    again = _probabilities(predictor, str(tiny_folder))
    np.testing.assert_array_equal(np.stack(again), np.stack(before))


@pytest.mark.slow
@pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork here")
@pytest.mark.filterwarnings("ignore:.*fork.*:DeprecationWarning")
def test_a_network_of_openvino__says_in_a_forked_process_what_to_do(small_bundle: Path) -> None:
    pytest.importorskip("openvino")
    network = open_bundle_network(load_bundle(small_bundle), NetworkWish(runtime="openvino"))
    network.see(PIXELS)
    found = forked(network.see, PIXELS)
    assert isinstance(found, EngineError)
    assert "get_context('spawn')" in str(found)
