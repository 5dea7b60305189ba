"""The study's three networks as torchvision has them."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

from torch import nn

from finding_nemo.core.errors import SettingsError, WeightsError
from finding_nemo.models.networks.hub_weights import weights_of_address
from finding_nemo.models.networks.weights_files import FindWeights, FoundWeights, misfit

TORCHVISION = "torchvision/"
_OLD_PART = re.compile(r"(denselayer\d+\.(?:norm|conv))\.([12]\.)")


def build_torchvision(
    name: str, *, n_outputs: int, find: FindWeights
) -> tuple[nn.Module, FoundWeights | None]:
    """Return a network with a new classifier, and the weights that it has.

    Args:
        name: "torchvision/" and one of three.
        n_outputs: Width of the classifier; 0 gives the features before it.
        find: Returns the weights to load, or nothing; given what asks torchvision's own address.

    Raises:
        SettingsError: If the name is unknown.
        WeightsError: If the weights do not fit.
    """
    from torchvision import models

    builders: dict[str, tuple[Callable[..., nn.Module], Any, str]] = {
        "resnet18": (models.resnet18, models.ResNet18_Weights.DEFAULT, "fc"),
        "efficientnet_b0": (
            models.efficientnet_b0,
            models.EfficientNet_B0_Weights.DEFAULT,
            "classifier",
        ),
        "densenet121": (models.densenet121, models.DenseNet121_Weights.DEFAULT, "classifier"),
    }
    short = name.removeprefix(TORCHVISION)
    if short not in builders:
        raise SettingsError(
            f"Unknown backbone torchvision/{short}; known: {', '.join(builders)}. "
            "Any timm model goes by its timm name."
        )
    build, weights, classifier = builders[short]
    found = find(lambda: weights_of_address(weights.url))
    network = build(weights=None)
    if found is not None:
        _load(network, name, found, classifier)
    _replace_classifier(network, classifier, n_outputs)
    return network, found


def _load(network: nn.Module, name: str, found: FoundWeights, classifier: str) -> None:
    """Load all but the classifier, which is replaced anyway.

    Raises:
        WeightsError: If a tensor is missing or of another shape.
    """
    kept = {k: each for k, each in found.tensors.items() if not k.startswith(classifier + ".")}
    # Older files name the parts of a densely connected layer "norm.1" for "norm1".
    if "densenet" in name:
        kept = {_OLD_PART.sub(r"\1\2", key): tensor for key, tensor in kept.items()}
    try:
        missing = network.load_state_dict(kept, strict=False).missing_keys
    except RuntimeError as error:
        raise WeightsError(misfit(name, found, str(error))) from None
    lacking = [key for key in missing if not key.startswith(classifier + ".")]
    if lacking:
        raise WeightsError(misfit(name, found, f"it lacks {', '.join(lacking[:3])}"))


def _replace_classifier(network: nn.Module, attribute: str, n_outputs: int) -> None:
    present: Any = getattr(network, attribute)
    linear: Any = present[-1] if isinstance(present, nn.Sequential) else present
    fresh = nn.Linear(linear.in_features, n_outputs) if n_outputs else nn.Identity()
    if isinstance(present, nn.Sequential):
        present[-1] = fresh
    else:
        setattr(network, attribute, fresh)
