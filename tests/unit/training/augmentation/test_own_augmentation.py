"""An augmentation of a person's own: what it gets, and what it must give."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch
from torchvision.transforms import v2

from finding_nemo import register_augmentation
from finding_nemo.core.errors import TrainingError
from finding_nemo.core.preprocessing import Preprocessing
from finding_nemo.training.augmentation.cutout import PreparePixels
from finding_nemo.training.augmentation.own_augmentation import load_augmentation

pytestmark = pytest.mark.usefixtures("own_parts")

_ROWS = np.arange(2 * 4 * 6 * 3, dtype=np.uint8).reshape(2, 4, 6, 3)


def _generator() -> torch.Generator:
    return torch.Generator().manual_seed(1)


def _augmented(name: str) -> np.ndarray[Any, Any]:
    augment = load_augmentation(name)
    assert augment is not None
    return augment(_ROWS, _generator())


def test_augmentation__gets_images_and_the_generator_if_it_takes_one() -> None:
    seen = []

    @register_augmentation("shift")
    def shift(images: torch.Tensor, generator: torch.Generator) -> torch.Tensor:
        seen.append((images.shape, images.dtype))
        images += torch.randint(9, (1,), generator=generator).to(torch.uint8)
        return images

    before = _ROWS.copy()
    drawn = int(torch.randint(9, (1,), generator=_generator()))
    np.testing.assert_array_equal(_augmented("shift"), _ROWS + np.uint8(drawn))
    np.testing.assert_array_equal(_ROWS, before)  # what is stored stays
    assert seen == [((2, 3, 4, 6), torch.uint8)]


def test_augmentation__may_be_a_transform_of_torchvision() -> None:
    register_augmentation("mirror")(v2.RandomHorizontalFlip(p=1))
    np.testing.assert_array_equal(_augmented("mirror"), _ROWS[:, :, ::-1])


def test_none__changes_nothing_and_costs_nothing() -> None:
    assert load_augmentation("none") is None


def test_network__sees_it_in_training_alone() -> None:
    register_augmentation("black")(torch.zeros_like)
    prepare = PreparePixels(
        Preprocessing(width_px=6, height_px=4, mean=(0, 0, 0), std=(1, 1, 1)),
        cutout_px=0,
        channels_last=False,
        augment=load_augmentation("black"),
    )
    assert float(prepare(_ROWS, _generator()).abs().max()) == 0
    assert float(prepare(_ROWS, None).max()) == pytest.approx(_ROWS.max() / 255)


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        (lambda images: images[:, :, 1:], r"uint8 of shape \(2, 3, 3, 6\)"),
        (lambda images: images.float(), r"float32 of shape \(2, 3, 4, 6\)"),
        (lambda images: None, "NoneType"),
    ],
)
def test_augmentation__must_give_what_it_got(answer: Any, words: str) -> None:
    register_augmentation("odd")(answer)
    wanted = r"it must return the batch that it got, changed: uint8 of shape \(2, 3, 4, 6\)"
    with pytest.raises(TrainingError, match=f"'odd' returned {words}; {wanted}"):
        _augmented("odd")
