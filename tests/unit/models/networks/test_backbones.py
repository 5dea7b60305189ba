"""Networks by name: what a transformer is told of the size of frames."""

from __future__ import annotations

import pytest
import torch

from finding_nemo.core.errors import SettingsError
from finding_nemo.models.networks.backbones import load_backbone


def test_transformer__takes_the_size_of_frames_that_is_set() -> None:
    loaded = load_backbone("vit_tiny_patch16_224", n_outputs=3, pretrained=False, frame_px=(32, 48))
    with torch.inference_mode():
        assert loaded.network.eval()(torch.zeros(2, 3, 32, 48)).shape == (2, 3)
    assert loaded.origin.is_random


@pytest.mark.parametrize("frame_px", [(40, 48), (8, 8)])
def test_transformer__refuses_frames_whose_edge_it_would_drop(frame_px: tuple[int, int]) -> None:
    height, width = frame_px
    with pytest.raises(
        SettingsError, match=f"patches of 16 x 16 px; frames of {width} x {height} px are no whole"
    ):
        load_backbone("vit_tiny_patch16_224", n_outputs=3, pretrained=False, frame_px=frame_px)
