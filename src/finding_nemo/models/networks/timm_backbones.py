"""Networks of timm by name, for frames of any size, with weights from wherever they are."""

from __future__ import annotations

import difflib
import math
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from itertools import islice
from typing import Any

import torch
from torch import nn

from finding_nemo.core.errors import SettingsError, WeightsError
from finding_nemo.core.text.printable import one_line, printable
from finding_nemo.models.networks.hub_weights import (
    CONFIG,
    HUB,
    hub_config,
    is_cached,
    license_in,
    weights_of_address,
    weights_of_hub,
)
from finding_nemo.models.networks.own_backbones import BACKBONES
from finding_nemo.models.networks.weights_files import FoundWeights, misfit

# Height and width.
Size = tuple[int, int]
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


@dataclass(frozen=True, slots=True)
class TimmModel:
    """A model that timm can build.

    Attributes:
        architecture: Its name in timm, with a tag where one was given.
        config: What timm knows of its pretrained weights, by key; nothing where there are none.
        arguments: Others that it is built with.
        repository: Of the hub, where the model was named by that.
    """

    architecture: str
    config: Mapping[str, Any]
    arguments: Mapping[str, Any] = field(default_factory=dict)
    repository: str = ""

    @property
    def default_size(self) -> Size | None:
        """Height and width of the frames that its weights were trained on, if they are known."""
        size = self.config.get("input_size")
        return None if size is None else (int(size[1]), int(size[2]))

    @property
    def is_fixed(self) -> bool:
        """Whether it takes frames of one size, which it must be told."""
        return bool(self.config.get("fixed_input_size"))

    def ask(self) -> FoundWeights:
        """Return its own weights, from caches or from a network.

        Raises:
            WeightsError: If they cannot be had; the message says why, in a few words.
        """
        license_name = str(self.config.get("license") or "")
        if self.repository:
            return weights_of_hub(self.repository, license_name=license_name)
        repository, address = self.config.get("hf_hub_id"), self.config.get("url")
        if repository:
            filename = self.config.get("hf_hub_filename")
            try:
                return weights_of_hub(repository, filename=filename, license_name=license_name)
            except WeightsError:
                if not (address and is_cached(address)):
                    raise
        if address:
            return weights_of_address(address, license_name=license_name)
        raise WeightsError("timm knows of no pretrained weights for it")


def find_timm_model(name: str) -> TimmModel:
    """Return what timm builds for a name.

    Args:
        name: Of timm, perhaps with a tag, or "hf-hub:OWNER/MODEL".

    Raises:
        SettingsError: If timm has no such model.
        WeightsError: If the hub's description of it cannot be had.
    """
    import timm

    if name.startswith(HUB):
        return _hub_model(name.removeprefix(HUB))
    try:
        is_known = timm.is_model(name)
        config: Any = timm.get_pretrained_cfg(name) if is_known else None
    except RuntimeError:  # an unknown tag
        raise SettingsError(_unknown_tag(name)) from None
    if not is_known:
        close = difflib.get_close_matches(name, [*BACKBONES, *timm.list_models()], n=3)
        hint = f"Did you mean {', '.join(close)}?" if close else "timm.list_models() names all."
        own = f" Registered here: {', '.join(BACKBONES)}." if BACKBONES else ""
        raise SettingsError(f"timm has no model {name!r}. {hint}{own}")
    return TimmModel(name, {} if config is None else config.to_dict())


def _unknown_tag(name: str) -> str:
    import timm

    architecture, _, tag = name.partition(".")
    tagged = [known for known in timm.list_pretrained() if known.startswith(f"{architecture}.")]
    return f"timm has no weights {tag!r} of {architecture}; known: {', '.join(tagged) or 'none'}."


def _hub_model(repository: str) -> TimmModel:
    content = hub_config(repository)
    architecture = content.get("architecture")
    known = _known_architecture(architecture)
    if known is None:
        raise SettingsError(
            f"hf-hub:{repository} is no model of timm: its {CONFIG} names the architecture "
            f"{printable(str(architecture))[:80]}. Give backbone=NAME of timm with "
            f"weights=hf-hub:{repository}, or export it to ONNX and give backbone=onnx:FILE."
        )
    # Older descriptions lay all keys on one level.
    config = {**content, **(content.get("pretrained_cfg") or {}), "license": license_in(content)}
    return TimmModel(known, config, content.get("model_args") or {}, repository)


def _known_architecture(name: object) -> str | None:
    import timm

    try:
        return name if isinstance(name, str) and timm.is_model(name) else None
    except RuntimeError:
        return None


def build_timm(
    model: TimmModel, *, frame_px: Size | None, found: FoundWeights | None, name: str
) -> Any:  # noqa: ANN401 - timm has no types
    """Return a timm model, with the classifier that its weights have or timm gives it.

    Args:
        model: What it is.
        frame_px: Height and width of the frames, which it takes (`check_frames`); position
            embeddings are resampled to them.
        found: Its weights; without them they are random.
        name: As set, for messages.

    Raises:
        WeightsError: If the weights do not fit.
    """
    if found is None:
        return new_timm(model, frame_px)
    return _with_weights(name, model, found, frame_px)


def new_timm(model: TimmModel, frame_px: Size | None, **more: Any) -> Any:  # noqa: ANN401
    """Return what timm makes for frames of a height and width, with `more` arguments of timm's."""
    import timm

    is_other = frame_px is not None and frame_px != model.default_size
    sized = {"img_size": frame_px} if model.is_fixed and is_other else {}
    return timm.create_model(model.architecture, **{**model.arguments, **sized, **more})


def _with_weights(name: str, model: TimmModel, found: FoundWeights, frame_px: Size | None) -> Any:  # noqa: ANN401
    """Return the network with every one of its tensors loaded, but for the classifier's.

    timm converts the names of many projects and resamples what depends on the frames' size. A file
    that has more than the network needs is taken, one that has less is not.

    Raises:
        WeightsError: If a tensor is missing or of another shape.
    """
    n_classes = _classes_in(model, found)
    strict = {"state_dict": dict(found.tensors), "num_classes": n_classes}
    try:
        network = _loaded(model, frame_px, strict, n_classes)
    except (RuntimeError, KeyError, AttributeError, IndexError, TypeError) as error:
        words = str(error)
        if "Unexpected key" not in words or "Missing key" in words or "size mismatch" in words:
            raise WeightsError(misfit(name, found, words)) from None
        # timm is lenient where the number of classes is another.
        lenient = {"state_dict": dict(found.tensors), "num_classes": n_classes + 1}
        network = _loaded(model, frame_px, lenient, n_classes)
    network.pretrained_cfg.pop("state_dict", None)
    return network


def _loaded(
    model: TimmModel, frame_px: Size | None, overlay: dict[str, Any], n_classes: int
) -> Any:  # noqa: ANN401
    return new_timm(
        model, frame_px, pretrained=True, pretrained_cfg_overlay=overlay, num_classes=n_classes
    )


def _classes_in(model: TimmModel, found: FoundWeights) -> int:
    name = model.config.get("classifier")
    weight = found.tensors.get(f"{name}.weight") if isinstance(name, str) else None
    return 0 if weight is None else len(weight)


def patch_px_in(name: str) -> int | None:
    """Return the width of a patch as the name of a transformer says it, such as 14."""
    found = re.search(r"patch(\d+)", name)
    return int(found.group(1)) or None if found else None


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
