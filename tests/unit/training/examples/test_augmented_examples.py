from __future__ import annotations

import threading
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from finding_nemo.core.categories import Category, CategoryTable
from finding_nemo.core.records import Box, ImageRecord
from finding_nemo.training.augmentation.plan import AugmentationPolicy
from finding_nemo.training.augmentation.render import render_augmentation
from finding_nemo.training.examples import augmented_examples
from finding_nemo.training.examples.array_cache import CachedRows
from finding_nemo.training.examples.augmented_examples import AugmentedExamples
from finding_nemo.training.examples.cached_inputs import CachedInputs

CATEGORIES = CategoryTable((Category(3, "animal", "group"),))


@pytest.fixture(scope="module")
def examples() -> AugmentedExamples:
    records = tuple(
        ImageRecord(
            str(number), Path(f"{number}.png"), (3,), width=60, height=40,
            boxes=(Box(3, 20, 10, 15, 12),),
        )
        for number in range(9)
    )  # fmt: skip
    pixels = np.random.default_rng(0).integers(0, 256, (9, 40, 60, 3), dtype=np.uint8)
    rows = CachedRows((pixels,), np.array([(0, number) for number in range(9)]))
    return AugmentedExamples.of(
        CachedInputs(records, rows, ()),
        CATEGORIES,
        grid=(2, 3),
        policy=AugmentationPolicy(copy_paste=2.0, color_transfer_prob=0.5),
        seed=4,
    )


@pytest.mark.parametrize("threads", [2, 5])
@pytest.mark.parametrize("epoch", [1, 2])
def test_pixels_and_targets__are_the_same_with_any_number_of_threads(
    examples: AugmentedExamples, threads: int, epoch: int
) -> None:
    chosen = np.array([7, 0, 3, 3, 8, 1])
    pixels, targets = examples.batch(chosen, epoch)
    assert (pixels.shape, targets.shape) == ((6, 40, 60, 3), (6, 7))
    assert pixels.dtype == np.uint8
    in_threads = replace(examples, threads=threads).batch(chosen, epoch)
    np.testing.assert_array_equal(in_threads[0], pixels)
    np.testing.assert_array_equal(in_threads[1], targets)


def test_an_example__does_not_depend_on_its_batch_but_on_the_epoch(
    examples: AugmentedExamples,
) -> None:
    together, _ = examples.batch(np.arange(9), 1)
    for number in range(9):
        alone, _ = examples.batch(np.array([number]), 1)
        np.testing.assert_array_equal(alone[0], together[number])
    later, _ = examples.batch(np.arange(9), 2)
    assert not np.array_equal(together, later)


def test_all_batches__are_rendered_by_the_same_few_threads(
    examples: AugmentedExamples, monkeypatch: pytest.MonkeyPatch
) -> None:
    in_threads = replace(examples, threads=2)
    seen: set[int] = set()

    def watched(*given: Any, **named: Any) -> Any:
        seen.add(threading.get_ident())
        return render_augmentation(*given, **named)

    monkeypatch.setattr(augmented_examples, "render_augmentation", watched)
    for epoch in range(5):
        in_threads.batch(np.arange(9), epoch)
    assert 1 <= len(seen) <= 2
    assert threading.get_ident() not in seen


def test_threads__end_with_the_examples(examples: AugmentedExamples) -> None:
    in_threads = replace(examples, threads=2)
    before = set(threading.enumerate())
    in_threads.batch(np.arange(9), 1)
    begun = set(threading.enumerate()) - before
    assert {thread.name.partition("_")[0] for thread in begun} == {"rendering"}
    del in_threads
    for thread in begun:
        thread.join(timeout=10)
        assert not thread.is_alive()
