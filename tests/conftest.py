"""Fixtures that more than one file of tests uses."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

_BESIDE_THE_PROJECT = Path(__file__).resolve().parents[1].parent / "shared" / "data"


def _real_folder(name: str) -> Path:
    roots = [Path(os.environ.get("FINDING_NEMO_DATA", "")), _BESIDE_THE_PROJECT]
    for root in roots:
        if str(root) != "." and (root / name).is_dir():
            return root / name
    pytest.skip(f"no real data: neither FINDING_NEMO_DATA nor ../shared/data holds {name}")


@pytest.fixture(scope="session")
def trashcan_folder() -> Path:
    """Real ROV frames, read-only."""
    return _real_folder("trashcan")


@pytest.fixture(scope="session")
def fathomnet_folder() -> Path:
    """The competition's annotation files, read-only."""
    return _real_folder("fathomnet2023")
