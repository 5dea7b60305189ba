"""What looks at patches: the network, the size of its frames and the grid of its patches."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from finding_nemo.core.preprocessing import Preprocessing
from finding_nemo.core.reporter import Tell
from finding_nemo.models.networks.backbones import load_backbone
from finding_nemo.models.networks.patch_network import patch_grid
from finding_nemo.training.auto.from_dataset import frame_size
from finding_nemo.training.examples.partition import Partition
from finding_nemo.training.recipes.registry import PatchesSettings


@dataclass(frozen=True, slots=True)
class BackboneSpec:
    """What looks at patches.

    Attributes:
        backbone: A timm network without a head.
        preprocessing: What is done to pixels.
        grid: Rows and columns of patches.
    """

    backbone: Any
    preprocessing: Preprocessing
    grid: tuple[int, int]


def choose_backbone_spec(
    settings: PatchesSettings, partition: Partition, notify: Tell
) -> BackboneSpec:
    """Return it as set, or else chosen from the training images, and tell the reasons."""
    loaded = load_backbone(settings.backbone, n_outputs=0, pretrained=settings.pretrained)
    notify(f"backbone {settings.backbone}: {loaded.weights}.")
    size = frame_size(settings.width_px, settings.height_px, partition.train)
    notify(f"frames {size.width_px} x {size.height_px} px: {size.reason}.")
    grid = patch_grid(loaded.network, width_px=size.width_px, height_px=size.height_px)
    notify(f"patches {grid[0]} x {grid[1]}: what the backbone makes of the frame's size.")
    spec = Preprocessing(
        width_px=size.width_px, height_px=size.height_px, mean=loaded.mean, std=loaded.std
    )
    return BackboneSpec(loaded.network, spec, grid)
