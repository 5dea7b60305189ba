"""Names of earlier versions that files still hold, and what each is called now."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

RENAMED_SETTINGS: Mapping[str, str] = MappingProxyType(
    {
        "images_at_once": "micro_batch_size",
        "averaging": "ema_decay",
        "place_weight": "patch_loss_weight",
        "whole_share": "global_weight",
        "strongest_places": "top_k_patches",
        "pastes": "copy_paste",
        "lit": "color_transfer_prob",
        "checkpointing": "gradient_checkpointing",
        "precision": "dtype",
    }
)
RENAMED_RECIPES: Mapping[str, str] = MappingProxyType({"places": "patches"})

# An ensemble's recipe names those of its members.
_JOINED = " + "


def with_current_names(content: Mapping[str, Any]) -> dict[str, Any]:
    """Return a manifest, or a member of an ensemble, with `recipe` and `settings` as named now."""
    renamed = {"recipe": current_recipe, "settings": current_settings}
    return {key: renamed[key](value) if key in renamed else value for key, value in content.items()}


def current_recipe(name: Any) -> Any:  # noqa: ANN401 - a file may hold anything
    """Return what a recipe is called now, or each of an ensemble's; no text stays as it is."""
    if not isinstance(name, str):
        return name
    return _JOINED.join(RENAMED_RECIPES.get(part, part) for part in name.split(_JOINED))


def current_settings(values: Any) -> Any:  # noqa: ANN401 - a file may hold anything
    """Return settings by the names of now, those of an ensemble's members too.

    What is no mapping stays as it is.
    """
    if not isinstance(values, dict):
        return values
    renamed = {RENAMED_SETTINGS.get(key, key): value for key, value in values.items()}
    if isinstance(members := renamed.get("members"), list):
        renamed["members"] = [
            with_current_names(member) if isinstance(member, dict) else member for member in members
        ]
    return renamed


def current_network(metadata: Mapping[str, Any]) -> dict[str, Any]:
    """Return the metadata of a predictions file with `network.dtype`, which was `precision`."""
    network = metadata.get("network")
    if not isinstance(network, dict) or "precision" not in network:
        return dict(metadata)
    renamed = {RENAMED_SETTINGS.get(key, key): value for key, value in network.items()}
    return {**metadata, "network": renamed}
