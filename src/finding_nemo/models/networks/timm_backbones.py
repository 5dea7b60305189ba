"""Networks of timm by name, for frames of any size, with weights from wherever they are."""

from __future__ import annotations

import difflib
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from finding_nemo.core.errors import SettingsError, WeightsError
from finding_nemo.core.text.printable import printable
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
        frame_px: Height and width of the frames, which it takes (`frame_fit`); position embeddings
            are resampled to them.
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
