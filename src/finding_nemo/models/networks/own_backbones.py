"""Backbones that people register in their own programs; the table loads no torch."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from finding_nemo.core.errors import SettingsError
from finding_nemo.core.names.registries import Registry, has_parameter
from finding_nemo.core.text.printable import one_line

if TYPE_CHECKING:
    from torch import nn

_PRETRAINED = "pretrained"


@dataclass(frozen=True, slots=True, kw_only=True)
class BackboneRow:
    """One registered backbone.

    Attributes:
        name: As given to the setting `backbone`.
        about: One line for people.
        function: Returns a new network, from pixels (images, 3, height, width) to features
            (images, features), or a timm model; it may have a parameter `pretrained`.
        mean: Of each channel in [0, 1], as its weights expect.
        std: Of each channel in [0, 1], as its weights expect.
    """

    name: str
    about: str
    function: Callable[..., Any]
    mean: tuple[float, float, float]
    std: tuple[float, float, float]


BACKBONES: Registry[BackboneRow] = Registry(())


def gives_pretrained(function: Callable[..., Any]) -> bool:
    """Return whether a function that builds a network asks whether weights are wanted."""
    return has_parameter(function, _PRETRAINED)


def build_own_backbone(
    name: str, *, n_outputs: int, pretrained: bool, frame_px: tuple[int, int]
) -> nn.Module:
    """Return the registered network `name` with a new classifier.

    Args:
        name: A name of `BACKBONES`.
        n_outputs: Width of the classifier; 0 gives the features before it.
        pretrained: Passed on, if the function takes it.
        frame_px: Height and width of the frames that it is tried on.

    Raises:
        SettingsError: If it is no torch module, or gives no features of such frames.
    """
    import torch
    from torch import nn

    function = BACKBONES[name].function
    network = function(**({_PRETRAINED: pretrained} if gives_pretrained(function) else {}))
    if not isinstance(network, nn.Module):
        raise SettingsError(
            f"The function of backbone {name!r} returned {type(network).__name__}; it must return "
            "a torch.nn.Module."
        )
    if _is_of_timm(network):
        of_timm: Any = network
        of_timm.reset_classifier(n_outputs)
        return network
    network.eval()
    with torch.inference_mode():
        features = _features(network, torch.zeros(2, 3, *frame_px), name)
    network.train()
    if not isinstance(features, torch.Tensor) or features.ndim != 2 or len(features) != 2:
        shape = tuple(features.shape) if isinstance(features, torch.Tensor) else type(features)
        raise SettingsError(
            f"The backbone {name!r} made {shape} of two frames; it must make (2, features). End a "
            "network of convolutions with nn.AdaptiveAvgPool2d(1) and nn.Flatten()."
        )
    if not n_outputs:
        return network
    return nn.Sequential(network, nn.Linear(features.shape[1], n_outputs))


def _features(network: Any, frames: Any, name: str) -> Any:  # noqa: ANN401 - torch loads late
    try:
        return network(frames)
    except (RuntimeError, TypeError, ValueError) as error:
        words = one_line(error, longest=200)
        raise SettingsError(
            f"The backbone {name!r} cannot take frames of shape {tuple(frames.shape)}: {words}."
        ) from error


def _is_of_timm(network: object) -> bool:
    return hasattr(network, "reset_classifier") and hasattr(network, "forward_features")


def refuse_without_maps(name: str, network: object) -> None:
    """Refuse a registered network for a recipe that looks at patches, if it gives none.

    Raises:
        SettingsError: If it lacks what such a recipe needs.
    """
    needed = ("forward_features", "num_features")
    lacking = [part for part in needed if not hasattr(network, part)]
    if name in BACKBONES and lacking:
        raise SettingsError(
            f"The backbone {name!r} has no {' and no '.join(lacking)}, so it gives no features of "
            "patches. Give it what timm's models have, or take a recipe on whole frames, such as "
            "probe or resnet18."
        )
