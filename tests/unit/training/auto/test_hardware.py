from __future__ import annotations

import pytest
import torch

from finding_nemo.training.auto import hardware
from finding_nemo.training.auto.hardware import (
    choose_matrix_products,
    choose_rendering_threads,
    normalising_device,
)


@pytest.mark.parametrize(
    ("cores", "device", "n_processes", "threads"),
    [
        (8, "cpu", 1, 1),
        (8, "cuda", 1, 7),
        (8, "cuda", 2, 3),
        (8, "cuda", 8, 1),
        (2, "mps", 1, 1),
        (1, "cuda", 4, 1),
        (128, "cuda", 1, 16),
    ],
)
def test_rendering_threads__are_cores_that_nothing_else_keeps_busy(
    monkeypatch: pytest.MonkeyPatch, cores: int, device: str, n_processes: int, threads: int
) -> None:
    monkeypatch.setattr(hardware, "usable_cores", lambda: cores)
    choice = choose_rendering_threads(device, n_processes=n_processes)
    assert choice.value == threads
    assert choice.reason


def test_matrix_products__are_exact_where_float32_was_asked_for() -> None:
    assert choose_matrix_products("float32").value == "highest"
    choice = choose_matrix_products("bfloat16")
    assert choice.value == "high"
    assert "TF32" in choice.reason


def test_pixels__are_normalised_on_a_cuda_card_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    assert normalising_device("auto") == normalising_device("cpu") == "cpu"
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(torch.cuda, "get_device_name", lambda _: "a card")
    assert normalising_device("cuda") == "cuda"
    assert normalising_device("cpu") == "cpu"
