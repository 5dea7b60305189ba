"""The layers of a timm network, lowest first: which are trained, and how fast each learns."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any


def parameter_layers(backbone: Any) -> dict[str, int]:  # noqa: ANN401
    """Return the layer of each parameter, 0 for the stem, as timm itself groups them."""
    from timm.models import group_parameters

    groups = group_parameters(backbone, backbone.group_matcher(coarse=True))
    ordered = enumerate(sorted(groups))
    return {name: number for number, layer in ordered for name in groups[layer]}


@dataclass(frozen=True, slots=True)
class LayerCount:
    """How many of a network's layers are trained."""

    trained: int
    all: int


def freeze_lowest(backbone: Any, *, trained_layers: int) -> LayerCount:  # noqa: ANN401
    """Fix the weights of all but the highest `trained_layers` layers."""
    layers = parameter_layers(backbone)
    n_layers = max(layers.values()) + 1
    first = max(n_layers - trained_layers, 0)
    for name, parameter in backbone.named_parameters():
        parameter.requires_grad_(layers[name] >= first)
    return LayerCount(n_layers - first, n_layers)


def layer_rate_factors(
    backbone: Any,  # noqa: ANN401
    *,
    highest: float,
    decay: float,
    prefix: str,
) -> dict[str, float]:
    """Return what each parameter's learning rate is multiplied with.

    Low layers hold edges and textures that the sea does not change, and learn slower.

    Args:
        backbone: A timm network.
        highest: Factor of its highest layer.
        decay: Factor from each layer to the one below.
        prefix: What stands before the names in the network that is trained, such as "backbone.".

    Source:
        Howard and Ruder, "Universal Language Model Fine-tuning for Text Classification", 2018,
        arXiv:1801.06146: discriminative learning rates.
    """
    layers = parameter_layers(backbone)
    top = max(layers.values())
    return {f"{prefix}{name}": highest * decay ** (top - layer) for name, layer in layers.items()}
