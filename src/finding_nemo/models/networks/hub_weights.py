"""Weights from the Hugging Face hub and from addresses, or from their caches without a network.

The libraries do the asking, so that HF_ENDPOINT, HF_HUB_OFFLINE, HF_HOME, TORCH_HOME and proxies
mean what they mean elsewhere. Each file is asked for once, with a short time-out.
"""

from __future__ import annotations

import json
import socket
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urlparse

import torch

from finding_nemo.core.errors import WeightsError
from finding_nemo.core.provenance import hash_file
from finding_nemo.core.text.printable import one_line
from finding_nemo.models.networks.weights_files import FoundWeights, read_tensors, weights_of_file

HUB = "hf-hub:"
CONFIG = "config.json"
_TIMEOUT_S = 5.0
# Safetensors first; torch files are opened without code.
_USUAL_NAMES = ("model.safetensors", "pytorch_model.bin")


def hub_file(repository: str, names: Sequence[str]) -> Path:
    """Return the first of some files that a repository has, from the cache or the hub.

    Args:
        repository: "OWNER/MODEL", perhaps with "@" and a revision.
        names: Of files, the best first.

    Raises:
        WeightsError: If none can be had; the message says why, in a few words.
    """
    from huggingface_hub import hf_hub_download
    from huggingface_hub.errors import EntryNotFoundError, LocalEntryNotFoundError

    model, _, revision = repository.partition("@")
    for name in names:
        try:
            with _short_and_quiet():
                return Path(
                    hf_hub_download(model, name, revision=revision or None, etag_timeout=_TIMEOUT_S)
                )
        except LocalEntryNotFoundError:
            raise WeightsError(
                f"{model} is not in the cache of the Hugging Face hub, and the hub gave no answer"
            ) from None
        except EntryNotFoundError:
            continue
        except Exception as error:  # the library and its client raise classes of their own
            words = one_line(error, longest=160)
            raise WeightsError(f"the Hugging Face hub gave no {model}: {words}") from None
    raise WeightsError(f"{model} on the Hugging Face hub has no file {' or '.join(names)}")


def hub_config(repository: str) -> dict[str, Any]:
    """Return how a repository describes its model; nothing where that is no JSON object.

    Raises:
        WeightsError: If it cannot be had.
    """
    path = hub_file(repository, (CONFIG,))
    try:
        content: Any = json.loads(path.read_text(encoding="utf-8"))
    except (ValueError, OSError):
        return {}
    return content if isinstance(content, dict) else {}


def weights_of_hub(
    repository: str, *, filename: str | None = None, license_name: str = ""
) -> FoundWeights:
    """Return the weights that a repository of the hub holds.

    Args:
        repository: "OWNER/MODEL", perhaps with "@" and a revision.
        filename: The file, if it is not one of the usual ones.
        license_name: As its configuration says; "" if it says nothing.

    Raises:
        WeightsError: If they cannot be had.
    """
    path = hub_file(repository, (filename,) if filename else _USUAL_NAMES)
    source = f"hf-hub:{repository}, file {path.name}"
    return FoundWeights(read_tensors(path), source, hash_file(path), license_name)


def weights_of_address(address: str, *, license_name: str = "") -> FoundWeights:
    """Return the weights at an address, from the cache of `torch.hub` if they are in it.

    Raises:
        WeightsError: If they cannot be had, or are not those of the hash in their name.
    """
    path = _cached_at(address)
    if not path.is_file():
        path.parent.mkdir(parents=True, exist_ok=True)
        try:
            with _short_and_quiet():
                torch.hub.download_url_to_file(
                    address, str(path), hash_prefix=_hash_in(path), progress=False
                )
        except (OSError, RuntimeError, ValueError) as error:
            words = one_line(error, longest=160)
            host = urlparse(address).netloc
            raise WeightsError(f"{host} cannot be reached ({words})") from None
    return FoundWeights(read_tensors(path), address, hash_file(path), license_name)


def is_cached(address: str) -> bool:
    """Return whether the cache of `torch.hub` holds what is at an address."""
    return _cached_at(address).is_file()


def _cached_at(address: str) -> Path:
    return Path(torch.hub.get_dir()) / "checkpoints" / Path(urlparse(address).path).name


def _hash_in(path: Path) -> str | None:
    """Return the beginning of the SHA-256 that torchvision writes into names of files."""
    _, dash, digest = path.stem.rpartition("-")
    is_hash = len(digest) == 8 and set(digest) <= set("0123456789abcdef")
    return digest if dash and is_hash else None


@contextmanager
def _short_and_quiet() -> Iterator[None]:
    """Ask with a short time-out, and draw no bars beside the program's own."""
    from huggingface_hub.utils.tqdm import (
        are_progress_bars_disabled,
        disable_progress_bars,
        enable_progress_bars,
    )

    before, were_off = socket.getdefaulttimeout(), are_progress_bars_disabled()
    socket.setdefaulttimeout(_TIMEOUT_S)
    disable_progress_bars()
    try:
        yield
    finally:
        socket.setdefaulttimeout(before)
        if not were_off:
            enable_progress_bars()


def license_in(config: dict[str, Any]) -> str:
    """Return the license that a configuration of the hub names, or ""."""
    within = config.get("pretrained_cfg")
    names = [config.get("license"), within.get("license") if isinstance(within, dict) else None]
    return next((name for name in names if isinstance(name, str)), "")


def own_file(weights: str) -> FoundWeights:
    """Return what the setting `weights` names: a file, or a repository of the hub.

    Raises:
        WeightsError: If it cannot be had.
    """
    if weights.startswith(HUB):
        repository = weights.removeprefix(HUB)
        return weights_of_hub(repository, license_name=_license_of(repository))
    return weights_of_file(Path(weights).expanduser())


def _license_of(repository: str) -> str:
    try:
        return license_in(hub_config(repository))
    except WeightsError:
        return ""
