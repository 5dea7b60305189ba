from __future__ import annotations

import pytest

from finding_nemo.training.auto import hardware
from finding_nemo.training.auto.hardware import choose_rendering_threads


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
