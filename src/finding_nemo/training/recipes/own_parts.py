"""One's own losses, backbones, augmentations, samplers and recipes, by name.

What is registered is used by its name in settings, is recorded by it in the bundle, and is there
while the program runs: a program that goes on with a training registers the same first.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any, Literal, TypeVar

from finding_nemo.core.errors import ArgumentError, SettingsError
from finding_nemo.core.names.registries import E, Registry, load
from finding_nemo.models.networks.own_backbones import BACKBONES, BackboneRow
from finding_nemo.training.recipes.loop_choices import (
    AUGMENTATIONS,
    LOSSES,
    SAMPLERS,
    AugmentationRow,
    LossRow,
    SamplerRow,
)
from finding_nemo.training.recipes.registry import RECIPES, find_recipe, recipe_settings
from finding_nemo.training.recipes.settings import ON_PIXELS

F = TypeVar("F", bound=Callable[..., Any])

_IMAGENET_MEAN = (0.485, 0.456, 0.406)
_IMAGENET_STD = (0.229, 0.224, 0.225)


def register_loss(
    name: str,
    *,
    activation: Literal["sigmoid", "clip"] = "sigmoid",
    overwrite: bool = False,
) -> Callable[[F], F]:
    """Let the setting `loss` name a function of your own.

    The function takes outputs and truth, both float tensors (images, categories), and returns one
    number as a tensor: the mean over the images of the batch. Recipes on whole frames read the
    setting: `probe` and those of the study.

    Args:
        name: As the setting will say it.
        activation: From outputs to probabilities once the loss is small: "sigmoid" of logits, or
            "clip" to [0, 1] of what was trained to be a probability itself.
        overwrite: Whether an earlier one of yours may be replaced, as when a cell is run again.

    Returns:
        What registers the function and returns it unchanged.

    Raises:
        SettingsError: If the name is unusable or taken, or the activation is unknown.
        ArgumentError: If what is registered cannot be called.

    Example:
        >>> @finding_nemo.register_loss("focal")  # doctest: +SKIP
        ... def focal(outputs, truth):
        ...     return torchvision.ops.sigmoid_focal_loss(outputs, truth).sum(dim=1).mean()
        >>> finding_nemo.train(dataset, out="run", settings={"loss": "focal"})  # doctest: +SKIP
    """
    if activation not in ("sigmoid", "clip"):
        raise SettingsError(f'activation = {activation!r}: it is "sigmoid" or "clip".')
    return _registering(
        LOSSES,
        name,
        lambda function: LossRow(
            name=name, about=_about(function), function=function, activation=activation
        ),
        kind="loss",
        overwrite=overwrite,
    )


def register_backbone(
    name: str,
    *,
    mean: tuple[float, float, float] = _IMAGENET_MEAN,
    std: tuple[float, float, float] = _IMAGENET_STD,
    overwrite: bool = False,
) -> Callable[[F], F]:
    """Let the setting `backbone` name a network of your own.

    The function returns a new `torch.nn.Module` from pixels (images, 3, height, width) to features
    (images, features), on which the package puts its classifier; or a timm model. If it has a
    parameter `pretrained`, it is given the setting of that name. `patches` and `nemo` need a timm
    model, whose `forward_features` gives maps.

    Args:
        name: As the setting will say it.
        mean: Of red, green and blue in [0, 1], as its weights expect; ImageNet's by default.
        std: Their standard deviation, the same.
        overwrite: Whether an earlier one of yours may be replaced.

    Returns:
        What registers the function and returns it unchanged.

    Raises:
        SettingsError: If the name is unusable or taken, also by a model of timm.
        ArgumentError: If what is registered cannot be called.

    Example:
        >>> @finding_nemo.register_backbone("tiny")  # doctest: +SKIP
        ... def tiny():
        ...     return nn.Sequential(
        ...         nn.Conv2d(3, 16, 3, 2), nn.ReLU(), nn.AdaptiveAvgPool2d(1), nn.Flatten()
        ...     )
        >>> finding_nemo.train(  # doctest: +SKIP
        ...     dataset, out="run", recipe="resnet18", settings={"backbone": "tiny"}
        ... )
    """
    register = _registering(
        BACKBONES,
        name,
        lambda function: BackboneRow(
            name=name, about=_about(function), function=function, mean=mean, std=std
        ),
        kind="backbone",
        overwrite=overwrite,
    )
    is_of_timm = load("finding_nemo.models.networks.backbones:is_backbone_of_a_library")
    if name in ON_PIXELS or is_of_timm(name):
        raise SettingsError(f"The backbone {name!r} is there already; choose another name.")
    return register


def register_augmentation(name: str, *, overwrite: bool = False) -> Callable[[F], F]:
    """Let the setting `augmentation` name a function of your own.

    The function takes a batch, uint8 (images, 3, height, width), and returns one of the same form;
    transforms of `torchvision.transforms.v2` do. If it has a parameter `generator`, it is given the
    `torch.Generator` of the epoch. Drawn from that, or from torch's own random numbers, it is the
    same in every training of one seed, also in one that was stopped and goes on. Recipes that train
    a network on whole frames read the setting: those of the study.

    Args:
        name: As the setting will say it.
        overwrite: Whether an earlier one of yours may be replaced.

    Returns:
        What registers the function and returns it unchanged.

    Raises:
        SettingsError: If the name is unusable or taken.
        ArgumentError: If what is registered cannot be called.

    Example:
        >>> flip = torchvision.transforms.v2.RandomHorizontalFlip()  # doctest: +SKIP
        >>> finding_nemo.register_augmentation("flip")(flip)  # doctest: +SKIP
        >>> finding_nemo.train(  # doctest: +SKIP
        ...     dataset, out="run", recipe="resnet18", settings={"augmentation": "flip"}
        ... )
    """
    return _registering(
        AUGMENTATIONS,
        name,
        lambda function: AugmentationRow(name, _about(function), function),
        kind="augmentation",
        overwrite=overwrite,
    )


def register_sampler(name: str, *, overwrite: bool = False) -> Callable[[F], F]:
    """Let the setting `sampler` name a function of your own.

    The function takes the truth, bool (images, categories), the dive of each image and the
    `torch.Generator` of the epoch, and returns as many row numbers as there are training images,
    some more than once if it likes. It must draw from that generator alone. Every recipe that
    trains a network reads the setting.

    Args:
        name: As the setting will say it.
        overwrite: Whether an earlier one of yours may be replaced.

    Returns:
        What registers the function and returns it unchanged.

    Raises:
        SettingsError: If the name is unusable or taken.
        ArgumentError: If what is registered cannot be called.

    Example:
        >>> @finding_nemo.register_sampler("rare-first")  # doctest: +SKIP
        ... def rare_first(truth, dives, generator):
        ...     rarity = torch.from_numpy(truth / truth.sum(axis=0).clip(1)).amax(dim=1)
        ...     return torch.multinomial(rarity + 1e-6, len(truth), True, generator=generator)
        >>> finding_nemo.train(  # doctest: +SKIP
        ...     dataset, out="run", settings={"sampler": "rare-first"}
        ... )
    """
    return _registering(
        SAMPLERS,
        name,
        lambda function: SamplerRow(name, _about(function), function),
        kind="sampler",
        overwrite=overwrite,
    )


def register_recipe(
    name: str,
    *,
    base: str,
    settings: Mapping[str, Any],
    about: str = "",
    overwrite: bool = False,
) -> None:
    """Give a recipe with other settings a name of its own, to train and to compare it by.

    Args:
        name: As `recipe` will say it.
        base: The recipe that it is made from.
        settings: What is changed.
        about: One line for people.
        overwrite: Whether an earlier one of yours may be replaced.

    Raises:
        SettingsError: If the name is unusable or taken, `base` is unknown, or a setting is unknown
            or out of range.

    Example:
        >>> finding_nemo.register_recipe(  # doctest: +SKIP
        ...     "small-probe", base="probe", settings={"width_px": 128, "height_px": 128}
        ... )
        >>> finding_nemo.train(dataset, out="run", recipe="small-probe")  # doctest: +SKIP
    """
    found = find_recipe(base)
    row = replace(
        found,
        name=name,
        about=about or f"{base} with {', '.join(settings) or 'its own settings'}",
        settings=recipe_settings(found, settings),
        is_of_study=False,
    )
    RECIPES.add(row, kind="recipe", overwrite=overwrite)


def _registering(
    table: Registry[E],
    name: str,
    row_of: Callable[[Callable[..., Any]], E],
    *,
    kind: str,
    overwrite: bool,
) -> Callable[[F], F]:
    """Return what puts a function into a table and returns it unchanged."""
    table.check_new(name, kind=kind, overwrite=overwrite)

    def register(function: F) -> F:
        _check_function(function, kind)
        table.add(row_of(function), kind=kind, overwrite=overwrite)
        return function

    return register


def _check_function(function: object, kind: str) -> None:
    if not callable(function):
        raise ArgumentError(
            f"register_{kind}(name) takes a function or another object that can be called; got "
            f"{type(function).__name__}."
        )


def _about(function: object) -> str:
    """Return the first line of what a function says of itself, else where it is from."""
    words = (getattr(function, "__doc__", None) or "").strip().splitlines()
    name = getattr(function, "__qualname__", type(function).__name__)
    return words[0].rstrip(".") if words else f"registered: {name}"
