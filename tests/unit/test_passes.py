"""How often a data set is shown."""

from __future__ import annotations

import pytest

from finding_nemo.training.passes import passes_over, with_passes
from finding_nemo.training.recipes import SmallAnimalSettings


@pytest.mark.parametrize(
    ("n_images", "passes"), [(1, 10), (500, 8), (1000, 4), (3700, 1), (6000, 1), (10**6, 1)]
)
def test_passes__show_about_four_thousand_views(n_images: int, passes: int) -> None:
    assert passes_over(n_images) == passes


def test_passes__what_is_set_stays_and_what_is_chosen_is_told() -> None:
    told: list[str] = []
    assert with_passes(SmallAnimalSettings(epochs=3), 1000, told.append).epochs == 3
    assert told == []
    chosen = with_passes(SmallAnimalSettings(), 1000, told.append)
    assert (chosen.epochs, len(told)) == (4, 1)
    assert "epochs 4: 1000 training images" in told[0]
