"""What sees the patches: the network, the size of its frames and the grid of its patches."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from finding_nemo.core.choice import Choice
from finding_nemo.core.preprocessing import Preprocessing
from finding_nemo.core.records import ImageRecord
from finding_nemo.models.networks.backbones import frames_for
from finding_nemo.models.networks.own_backbones import refuse_without_maps
from finding_nemo.models.networks.patch_network import patch_grid
from finding_nemo.models.weights_origin import WeightsOrigin
from finding_nemo.training.auto.from_dataset import frame_size
from finding_nemo.training.examples.partition import Partition
from finding_nemo.training.loop.run_context import RunContext
from finding_nemo.training.recipes.settings import PatchesSettings, is_onnx
from finding_nemo.training.tasks.onnx_features import onnx_frame_size
from finding_nemo.training.tasks.open_backbone import open_frozen_backbone


@dataclass(frozen=True, slots=True, kw_only=True)
class BackboneSpec:
    """What sees the patches.

    Attributes:
        backbone: A timm network without a head, or an exported one.
        origin: Where its weights came from.
        unread: Settings that made no difference to it.
        preprocessing: What is done to pixels.
        grid: Rows and columns of patches.
    """

    backbone: Any
    origin: WeightsOrigin
    unread: frozenset[str]
    preprocessing: Preprocessing
    grid: tuple[int, int]


def choose_backbone_spec(
    settings: PatchesSettings, partition: Partition, context: RunContext
) -> BackboneSpec:
    """Return it as set, or else chosen from the training images, and tell the reasons."""
    message = context.reporter.message
    size = frame_size_for(settings.backbone, settings.width_px, settings.height_px, partition.train)
    width, height = context.announce("frames", size)
    loaded = open_frozen_backbone(settings, (height, width), context.reporter)
    refuse_without_maps(settings.backbone, loaded.network)
    grid = patch_grid(loaded.network, width_px=width, height_px=height)
    message(f"patches {grid[0]} x {grid[1]}: what the backbone makes of the frame's size.")
    spec = Preprocessing(width_px=width, height_px=height, mean=loaded.mean, std=loaded.std)
    return BackboneSpec(
        backbone=loaded.network,
        origin=loaded.origin,
        unread=loaded.unread,
        preprocessing=spec,
        grid=grid,
    )


def frame_size_for(
    backbone: str, width_px: int | None, height_px: int | None, records: Sequence[ImageRecord]
) -> Choice[tuple[int, int]]:
    """Return width and height as set, or else chosen from the boxes for what the backbone takes.

    Raises:
        SettingsError: If the backbone is unknown, or an ONNX file that cannot be read.
        WeightsError: If the hub's description of the backbone cannot be had.
    """
    choice = frame_size(width_px, height_px, records)
    if width_px is not None:
        return choice
    if is_onnx(backbone):
        own = onnx_frame_size(backbone)
        return choice if own is None else _sized(own[1], own[0], "what the ONNX file takes")
    wanted = choice.value[1], choice.value[0]
    height, width = frames_for(backbone, wanted)
    if (height, width) == wanted:
        return choice
    return _sized(width, height, f"{choice.reason}; the nearest that {backbone} takes")


def _sized(width_px: int, height_px: int, reason: str) -> Choice[tuple[int, int]]:
    return Choice((width_px, height_px), reason, shown=f"{width_px} x {height_px} px")
