"""Which frames a network of timm takes, tried on a copy that has shapes and no numbers."""

from __future__ import annotations

import math
from collections.abc import Iterator
from itertools import islice
from typing import Any

import torch
from torch import nn

from finding_nemo.core.errors import SettingsError
from finding_nemo.core.text.printable import one_line
from finding_nemo.models.networks.timm_backbones import Size, TimmModel, new_timm, patch_px_in

# What timm and torch raise where a frame does not fit; they share no class.
_MISFITS = (
    AssertionError,
    AttributeError,
    IndexError,
    KeyError,
    RuntimeError,
    TypeError,
    ValueError,
)
# Sides that are whole multiples of one of these suit windows and strides of every kind seen.
_MULTIPLES_PX = (8, 16, 32, 64)
_MOST_TRIALS = 8


def check_frames(name: str, model: TimmModel, frame_px: Size) -> None:
    """Refuse frames that a network does not take, and say which it does.

    Nothing is loaded or computed: shapes alone are followed through the network.

    Args:
        name: As set, for messages.
        model: What it is.
        frame_px: Height and width of the frames.

    Raises:
        SettingsError: If the frames do not fit; it names the nearest size that does.
    """
    why = why_not(model, frame_px)
    if not why:
        return
    near = nearest_frames(model, frame_px)
    if near is None:
        hint = "No size near it was found to fit; see docs/backbones.md."
    else:
        hint = f"The nearest that it takes: --set width_px={near[1]} --set height_px={near[0]}."
    raise SettingsError(f"{name} {why}. {hint}")


def fitting_frames(model: TimmModel, frame_px: Size) -> Size:
    """Return height and width as wanted, or else the nearest that a network was found to take."""
    if not why_not(model, frame_px):
        return frame_px
    return nearest_frames(model, frame_px) or frame_px


def why_not(model: TimmModel, frame_px: Size) -> str:
    """Return why a network does not take frames of a height and width; "" where it does.

    The words go on from the network's name.
    """
    is_particular = model.is_fixed or patch_px_in(model.architecture)
    if not is_particular or frame_px == model.default_size:
        return ""
    why = _tried(model, frame_px, "meta")
    # A few networks cannot be followed without numbers, whatever the frame.
    if why and _tried(model, model.default_size or frame_px, "meta"):
        why = _tried(model, frame_px, "cpu")
    return why


def _tried(model: TimmModel, frame_px: Size, device: str) -> str:
    with torch.random.fork_rng(devices=[]), torch.inference_mode(), torch.device(device):
        try:
            network = new_timm(model, frame_px, num_classes=0).eval()
            why = dropped_edge(network, frame_px)
            if not why:
                network(torch.empty(1, 3, *frame_px))
        except _MISFITS as error:
            height, width = frame_px
            return f"does not take frames of {width} x {height} px: {_in_words(error)}"
    return why


def _in_words(error: Exception) -> str:
    """Return what a person can use of a message about tensors."""
    words = one_line(error, longest=120).rstrip(".") or "it cannot be built for them"
    if "img_size" in words and isinstance(error, TypeError):
        return "it takes frames of one size"
    is_of_tensors = any(word in words.lower() for word in ("tensor", "dimension", "shape"))
    return "its windows or strides do not divide them" if is_of_tensors else words


def dropped_edge(network: nn.Module, frame_px: Size) -> str:
    """Return, in words, that a transformer would drop the edge of frames, or see nothing; or ""."""
    patch, (height, width) = patch_size(network), frame_px
    if not (height % patch[0] or width % patch[1]):
        return ""
    return (
        f"sees patches of {patch[1]} x {patch[0]} px; frames of {width} x {height} px are no "
        "whole number of them"
    )


def patch_size(network: nn.Module) -> Size:
    """Return height and width of the patches that a network cuts a frame into, side by side.

    Patches that overlap reach over the edge and drop nothing of it: 1 and 1, as for convolutions.
    """
    patches: Any = getattr(network, "patch_embed", None)
    found: Any = getattr(patches, "patch_size", (1, 1))
    projection: Any = getattr(patches, "proj", None)
    if isinstance(projection, nn.Conv2d) and projection.kernel_size != projection.stride:
        return 1, 1
    height, width = found if isinstance(found, tuple) else (found, found)
    return int(height), int(width)


def nearest_frames(model: TimmModel, frame_px: Size) -> Size | None:
    """Return the nearest height and width that a network was found to take; `None`: none was."""
    candidates = islice(_near(model, frame_px), _MOST_TRIALS)
    return next((size for size in candidates if not why_not(model, size)), None)


def _near(model: TimmModel, frame_px: Size) -> Iterator[Size]:
    """Yield sizes that may fit, those that change the sides least first."""
    patch_px = patch_px_in(model.architecture)
    multiples = (patch_px,) if patch_px else _MULTIPLES_PX
    side = math.sqrt(math.prod(frame_px))
    height, width = frame_px
    sizes = {(_rounded(height, each), _rounded(width, each)) for each in multiples}
    squared = _rounded(side, multiples[-1])
    sizes.add((squared, squared))
    if model.default_size is not None:
        sizes.add(model.default_size)

    def change(size: Size) -> tuple[float, Size]:
        pairs = zip(size, frame_px, strict=True)
        return sum(abs(math.log(each / wanted)) for each, wanted in pairs), size

    yield from sorted(sizes - {frame_px}, key=change)


def _rounded(pixels: float, multiple: int) -> int:
    return max(1, round(pixels / multiple)) * multiple
