"""Which images an epoch shows: the shuffle that trainings have, and samplers of people."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch

from finding_nemo import register_sampler
from finding_nemo.core.errors import TrainingError
from finding_nemo.training.examples.samplers import Order, sampling_order, shuffled_order

pytestmark = pytest.mark.usefixtures("own_parts")

_TRUTH = np.array([[True, False], [False, True], [True, True]])
_DIVES = ["a", "a", "b"]


def _generator(seed: int = 5) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def test_shuffle__is_torchs_permutation_and_shows_every_image_once() -> None:
    order = sampling_order("shuffle", _TRUTH, _DIVES)
    found = order(3, _generator())
    np.testing.assert_array_equal(found, torch.randperm(3, generator=_generator()).numpy())
    np.testing.assert_array_equal(found, shuffled_order(3, _generator()))
    assert sorted(found.tolist()) == [0, 1, 2]


def test_own_sampler__is_given_truth_dives_and_the_generator() -> None:
    given: list[Any] = []

    @register_sampler("own")
    def own(truth: Any, dives: Any, generator: torch.Generator) -> torch.Tensor:
        given.append((truth, dives))
        return torch.randint(3, (3,), generator=generator)

    generator = _generator()
    found = sampling_order("own", _TRUTH, _DIVES)(3, generator)
    again = _generator()
    np.testing.assert_array_equal(found, torch.randint(3, (3,), generator=again).numpy())
    assert (given[0][0] is _TRUTH, given[0][1]) == (True, _DIVES)
    # What is drawn next does not depend on the check.
    assert torch.equal(generator.get_state(), again.get_state())


def _orders(order: Order, n: int) -> None:
    for _ in range(n):
        order(3, _generator())


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        (lambda: [0, 1], r"returned int64 of shape \(2,\); it must return 3 row numbers from 0 to"),
        (lambda: [0, 1, 3], "returned int64 of shape"),
        (lambda: [-1, 1, 2], "returned int64 of shape"),
        (lambda: [0.0, 1.0, 2.0], "returned float64 of shape"),
        (lambda: None, "returned object of shape"),
        (lambda: torch.rand(3).argsort(), "gives another order for the same generator"),
    ],
)
def test_own_sampler__that_cannot_be_used_is_refused(answer: Callable[[], Any], words: str) -> None:
    register_sampler("odd")(lambda truth, dives, generator: answer())
    torch.manual_seed(0)
    many = np.ones((3, 1), dtype=np.bool_)
    order = sampling_order("odd", many, _DIVES)
    with pytest.raises(TrainingError, match=f"The sampler 'odd' {words}"):
        _orders(order, 20)  # three numbers fall alike now and then
