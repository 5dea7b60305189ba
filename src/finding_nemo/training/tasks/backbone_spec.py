"""What sees the patches: the network, the size of its frames and the grid of its patches."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from finding_nemo.core.preprocessing import Preprocessing
from finding_nemo.models.networks.backbones import load_backbone
from finding_nemo.models.networks.own_backbones import refuse_without_maps
from finding_nemo.models.networks.patch_network import patch_grid
from finding_nemo.training.auto.from_dataset import frame_size
from finding_nemo.training.examples.partition import Partition
from finding_nemo.training.loop.run_context import RunContext
from finding_nemo.training.recipes.settings import PatchesSettings


@dataclass(frozen=True, slots=True)
class BackboneSpec:
    """What sees the patches.

    Attributes:
        backbone: A timm network without a head.
        preprocessing: What is done to pixels.
        grid: Rows and columns of patches.
    """

    backbone: Any
    preprocessing: Preprocessing
    grid: tuple[int, int]


def choose_backbone_spec(
    settings: PatchesSettings, partition: Partition, context: RunContext
) -> BackboneSpec:
    """Return it as set, or else chosen from the training images, and tell the reasons."""
    message = context.reporter.message
    loaded = load_backbone(settings.backbone, n_outputs=0, pretrained=settings.pretrained)
    refuse_without_maps(settings.backbone, loaded.network)
    message(f"backbone {settings.backbone}: {loaded.weights}.")
    width, height = context.announce(
        "frames", frame_size(settings.width_px, settings.height_px, partition.train)
    )
    grid = patch_grid(loaded.network, width_px=width, height_px=height)
    message(f"patches {grid[0]} x {grid[1]}: what the backbone makes of the frame's size.")
    spec = Preprocessing(width_px=width, height_px=height, mean=loaded.mean, std=loaded.std)
    return BackboneSpec(loaded.network, spec, grid)
