"""Gradient accumulation: the same step, a part of its images at a time."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import nn

from finding_nemo.core.reporter import Reporter
from finding_nemo.training.examples.array_cache import CachedRows
from finding_nemo.training.examples.examples import Examples
from finding_nemo.training.loop.progress import EpochProgress
from finding_nemo.training.loop.trainer import Trainer
from finding_nemo.training.optimization.grad_accumulation import (
    choose_micro_batch_size,
    split_micro_batches,
)
from finding_nemo.training.optimization.losses import summed_bce_loss
from finding_nemo.training.recipes.settings import TrainerSettings


@given(st.integers(1, 60), st.integers(0, 60))
def test_micro_batches__hold_every_image_once_and_never_one_alone(n: int, micro_batch: int) -> None:
    micro_batches = split_micro_batches(n, micro_batch)
    images = np.arange(n)
    assert [int(i) for micro_batch in micro_batches for i in images[micro_batch]] == list(range(n))
    lengths = [len(images[micro_batch]) for micro_batch in micro_batches]
    assert max(lengths) - min(lengths) <= 1
    assert n == 1 or min(lengths) >= 2
    if micro_batch > 2:
        assert max(lengths) <= micro_batch


def test_micro_batches__by_hand() -> None:
    assert split_micro_batches(7, 3) == [slice(0, 2), slice(2, 4), slice(4, 7)]
    assert split_micro_batches(7, 0) == split_micro_batches(7, 7) == [slice(0, 7)]


def _trained(
    folder: Path, micro_batch_size: int, **changes: Any
) -> tuple[dict[str, torch.Tensor], float]:
    generator = np.random.default_rng(0)
    features = generator.normal(size=(10, 4)).astype(np.float32)
    truth = (generator.random((10, 3)) < 0.4).astype(np.float32)
    rows = CachedRows((features,), np.stack([np.zeros(10, np.int64), np.arange(10)], axis=1))
    torch.manual_seed(0)
    network = nn.Linear(4, 3)
    loop = Trainer(
        network=network,
        settings=TrainerSettings(epochs=3, batch_size=4, **changes),
        prepare=lambda rows, _: torch.from_numpy(np.asarray(rows, dtype=np.float32)),
        loss=summed_bce_loss,
        device=torch.device("cpu"),
        autocast=False,
        folder=folder,
        seed=0,
        micro_batch_size=micro_batch_size,
    )
    folder.mkdir()
    with EpochProgress(3, Reporter()) as progress:
        history = loop.run(Examples(rows, truth), Examples(rows, truth), progress)
    return network.state_dict(), history[-1].training_loss


@pytest.mark.parametrize("micro_batch_size", [2, 3])
def test_micro_batches__learn_what_one_step_learns(micro_batch_size: int, tmp_path: Path) -> None:
    expected, expected_loss = _trained(tmp_path / "one", 0)
    found, found_loss = _trained(tmp_path / "turns", micro_batch_size)
    for name, tensor in expected.items():
        torch.testing.assert_close(found[name], tensor, rtol=1e-5, atol=1e-6)
    assert found_loss == pytest.approx(expected_loss, rel=1e-5)


def test_compiled_step__trains_the_network_that_is_kept(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # The compiler itself needs minutes and a C++ compiler; what it is given is traced here.
    real = torch.compile
    asked: list[nn.Module] = []

    def compiled(network: nn.Module) -> object:
        asked.append(network)
        return real(network, backend="eager")

    expected, expected_loss = _trained(tmp_path / "plain", 0)
    monkeypatch.setattr(torch, "compile", compiled)
    found, found_loss = _trained(tmp_path / "compiled", 0, compile=True)
    assert len(asked) == 1
    assert found.keys() == expected.keys()
    for name, tensor in expected.items():
        torch.testing.assert_close(found[name], tensor, rtol=1e-5, atol=1e-6)
    assert found_loss == pytest.approx(expected_loss, rel=1e-5)


@pytest.mark.parametrize(
    ("wanted", "width_px", "height_px", "every_layer", "device", "expected"),
    [
        (None, 480, 352, True, "cpu", 3),
        (None, 768, 544, True, "cpu", 2),
        (None, 1920, 1088, True, "cpu", 2),
        (None, 320, 224, True, "cpu", 0),
        (None, 768, 544, False, "cpu", 0),
        (None, 768, 544, True, "cuda", 0),
        (4, 768, 544, True, "cpu", 4),
        (0, 768, 544, True, "cpu", 0),
    ],
)
def test_micro_batch_size__are_as_many_as_a_laptop_holds(
    wanted: int | None, width_px: int, height_px: int, every_layer: bool, device: str, expected: int
) -> None:
    chosen = choose_micro_batch_size(
        wanted,
        batch_size=6,
        n_pixels=width_px * height_px,
        every_layer=every_layer,
        device=device,
    )
    assert chosen.value == expected
    assert chosen.reason
