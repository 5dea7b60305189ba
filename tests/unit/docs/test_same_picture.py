"""The check of the README's picture: equal, nearly equal, another."""

from __future__ import annotations

from importlib import util
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest
from PIL import Image

_SCRIPT = Path(__file__).parents[2] / "same_picture.py"


@pytest.fixture(scope="module")
def script() -> ModuleType:
    spec = util.spec_from_file_location("same_picture", _SCRIPT)
    assert spec is not None
    assert spec.loader is not None
    module = util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def save(path: Path, pixels: np.typing.NDArray[np.uint8]) -> Path:
    Image.fromarray(pixels).save(path)
    return path


def test_difference__by_hand_and_by_a_loop(script: ModuleType) -> None:
    kept = np.zeros((32, 48, 3), np.uint8)
    drawn = kept.copy()
    drawn[:16, :16] = 6  # one of six squares, six levels
    assert script.difference(kept, drawn) == pytest.approx(1.0)
    rng = np.random.default_rng(0)
    first, second = (rng.integers(0, 256, (40, 50, 3), np.uint8) for _ in range(2))
    slow = np.mean(
        [
            abs(float(np.mean(first[y : y + 16, x : x + 16, c], dtype=np.float64))
                - float(np.mean(second[y : y + 16, x : x + 16, c], dtype=np.float64)))
            for y in (0, 16) for x in (0, 16, 32) for c in range(3)
        ]
    )  # fmt: skip
    assert script.difference(first, second) == pytest.approx(slow)


def test_compare__equal_near_and_another(script: ModuleType, tmp_path: Path) -> None:
    rng = np.random.default_rng(1)
    picture = rng.integers(100, 140, (64, 192, 3), dtype=np.uint8)
    kept = save(tmp_path / "kept.png", picture)
    assert script.compare(kept, kept) is None
    text = picture.copy()
    text[4:6, 10:16] = 90  # letters that lie otherwise
    assert script.compare(kept, save(tmp_path / "text.png", text)) is None
    other = picture.copy()
    other[:, :64] = 20  # another frame in one of three places
    assert "grey levels apart" in script.compare(kept, save(tmp_path / "other.png", other))
    smaller = save(tmp_path / "smaller.png", picture[:32])
    assert "px" in script.compare(kept, smaller)
