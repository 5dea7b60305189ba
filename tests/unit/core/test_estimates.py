"""Sizes and estimates in words."""

from __future__ import annotations

import pytest

from finding_nemo.core.processes.cores import usable_cores
from finding_nemo.core.text.estimates import Estimate, peak_memory, size_in_words


@pytest.mark.parametrize(
    ("n_bytes", "words"),
    [(0, "0 bytes"), (999, "999 bytes"), (1000, "1.0 kB"), (12_345, "12 kB"), (4.6e6, "4.6 MB"),
     (1.25e9, "1.2 GB"), (1.2e13, "12000 GB")],
)  # fmt: skip
def test_size__is_said_as_people_do(n_bytes: float, words: str) -> None:
    assert size_in_words(n_bytes) == words


def test_estimate__has_its_ground() -> None:
    found = Estimate("time", "about 3 min", "measured on 8 images")
    assert found.in_words == "time    about 3 min: measured on 8 images."


def test_machine__has_cores_and_memory() -> None:
    assert usable_cores() >= 1
    peak = peak_memory()
    assert peak is None or 1e6 < peak < 1e12
