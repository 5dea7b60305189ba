"""The backbone that a recipe's settings name, opened; its origin is told."""

from __future__ import annotations

from finding_nemo.core.errors import SettingsError
from finding_nemo.core.reporter import Reporter
from finding_nemo.models.networks.backbones import LoadedBackbone, load_backbone
from finding_nemo.training.recipes.settings import (
    NetworkSettings,
    PatchesSettings,
    ProbeSettings,
    is_onnx,
)
from finding_nemo.training.tasks.onnx_features import load_onnx_backbone


def open_frozen_backbone(
    settings: ProbeSettings | PatchesSettings, frame_px: tuple[int, int], reporter: Reporter
) -> LoadedBackbone:
    """Return the backbone without a classifier.

    Args:
        settings: Name it, and say where its weights are.
        frame_px: Height and width of the frames.
        reporter: Told where the weights come from.

    Raises:
        SettingsError: If it is unknown, or the frames do not fit.
        WeightsError: If its weights cannot be had.
    """
    if is_onnx(settings.backbone):
        loaded = load_onnx_backbone(settings.backbone, frame_px, reporter)
    else:
        loaded = load_backbone(
            settings.backbone,
            n_outputs=0,
            pretrained=settings.pretrained,
            weights=settings.weights,
            frame_px=frame_px,
        )
    _tell(settings.backbone, loaded, reporter)
    return loaded


def open_trained_backbone(
    settings: NetworkSettings, n_outputs: int, reporter: Reporter
) -> LoadedBackbone:
    """Return the backbone with a classifier, to be trained as a whole.

    Args:
        settings: Name it, and say where its weights are.
        n_outputs: Width of the classifier.
        reporter: Told where the weights come from.

    Raises:
        SettingsError: If it is unknown, cannot be trained, or the frames do not fit.
        WeightsError: If its weights cannot be had.
    """
    if is_onnx(settings.backbone):
        raise SettingsError(
            f"backbone = {settings.backbone!r}: an ONNX file gives features and cannot be trained. "
            "Take recipe probe, patches or nemo."
        )
    loaded = load_backbone(
        settings.backbone,
        n_outputs=n_outputs,
        pretrained=settings.pretrained is not False,
        weights=settings.weights,
        frame_px=(settings.height_px, settings.width_px),
    )
    _tell(settings.backbone, loaded, reporter)
    return loaded


def _tell(backbone: str, loaded: LoadedBackbone, reporter: Reporter) -> None:
    reporter.message(f"backbone {backbone}: {loaded.origin.in_words}.")
