"""Pretrained weights from a file of the user's: safetensors, or a torch file without code."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import load_file

from finding_nemo.core.errors import WeightsError
from finding_nemo.core.provenance import hash_file
from finding_nemo.core.text.printable import one_line

Tensors = dict[str, torch.Tensor]
SAFETENSORS = ".safetensors"
# What trainings lay their network below, the one to be used for inference first.
_WRAPPED_AS = ("state_dict_ema", "model_ema", "teacher", "state_dict", "model", "module")
# What a network is called within a larger one, where all its names begin alike.
_PREFIXES = ("module.", "_orig_mod.", "backbone.", "model.")


@dataclass(frozen=True, slots=True)
class FoundWeights:
    """Weights that were found for a network.

    Attributes:
        tensors: By the names that their file has for them.
        source: Where they came from, in words.
        sha256: Of the file.
        license: As the source names it; "" where it names none.
    """

    tensors: Tensors
    source: str
    sha256: str
    license: str = ""


# Returns the weights to load, or nothing; given what asks for a network's own.
FindWeights = Callable[[Callable[[], FoundWeights]], FoundWeights | None]


def weights_of_file(path: Path) -> FoundWeights:
    """Return the weights of a user's file; its license nobody knows.

    Raises:
        WeightsError: If there is none, or it holds no named tensors.
    """
    return FoundWeights(read_tensors(path), f"the file {path.name}", hash_file(path))


def read_tensors(path: Path) -> Tensors:
    """Return the named tensors of a file.

    A torch file is opened with `weights_only=True`, which admits tensors and refuses code.

    Raises:
        WeightsError: If there is no such file, or it holds no named tensors.
    """
    if not path.is_file():
        raise WeightsError(
            f"There are no weights at {path}. Name a .safetensors file or a torch file that is "
            'there, or "hf-hub:OWNER/MODEL".'
        )
    try:
        if path.suffix == SAFETENSORS:
            stored: Any = load_file(path)
        else:
            stored = torch.load(path, map_location="cpu", weights_only=True)
    except Exception as error:  # each library raises classes of its own, all unlisted
        words = one_line(error, longest=160)
        raise WeightsError(
            f"{path} cannot be read as weights: {words} Wanted is a .safetensors file, or a torch "
            "file that holds tensors alone (torch.save(network.state_dict(), file))."
        ) from None
    tensors = _named_tensors(stored)
    if not tensors:
        raise WeightsError(
            f"{path} holds no named tensors. Wanted is a network's state_dict, as "
            "torch.save(network.state_dict(), file) writes it."
        )
    return tensors


def _named_tensors(stored: object) -> Tensors:
    while isinstance(stored, Mapping):
        within = next((stored[k] for k in _WRAPPED_AS if isinstance(stored.get(k), Mapping)), None)
        if within is None:
            break
        stored = within
    if not isinstance(stored, Mapping):
        return {}
    tensors = {str(k): each for k, each in stored.items() if isinstance(each, torch.Tensor)}
    for prefix in _PREFIXES:
        if tensors and all(name.startswith(prefix) for name in tensors):
            tensors = {name.removeprefix(prefix): each for name, each in tensors.items()}
    return tensors


def misfit(name: str, found: FoundWeights, why: str) -> str:
    """Return that weights do not fit, in words."""
    words = one_line(why, longest=300)
    return (
        f"The weights of {found.source} do not fit backbone {name}: {words}. Name the backbone "
        "that they are of."
    )
