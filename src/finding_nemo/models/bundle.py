"""A trained model with all that it needs, as a folder; read and written without torch."""

from __future__ import annotations

import hashlib
import json
import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from safetensors import SafetensorError
from safetensors.numpy import load_file, save_file

from finding_nemo.core.categories import Category, CategoryTable
from finding_nemo.core.errors import BundleError, SettingsError
from finding_nemo.core.files import telling_full_disk
from finding_nemo.core.preprocessing import Preprocessing
from finding_nemo.core.provenance import hash_file
from finding_nemo.models.manifest import SCHEMA_VERSION, BundleManifest
from finding_nemo.models.model_card import model_card

MANIFEST = "bundle.json"
WEIGHTS = "weights.safetensors"
NETWORK = "model.onnx"
INT8_NETWORK = "model.int8.onnx"
NOVELTY = "novelty.safetensors"
MODEL_CARD = "MODEL_CARD.md"

Tensors = Mapping[str, npt.NDArray[Any]]


@dataclass(frozen=True)
class Bundle:
    """A bundle, read.

    Attributes:
        path: Its folder.
        manifest: The contents of `bundle.json`.
    """

    path: Path
    manifest: BundleManifest

    @cached_property
    def categories(self) -> CategoryTable:
        """The category table in column order."""
        return CategoryTable(
            tuple(
                Category(entry.category_id, entry.name, entry.supercategory)
                for entry in self.manifest.categories
            )
        )

    @property
    def preprocessing(self) -> Preprocessing:
        """What is done to pixels; the usual where the manifest says nothing."""
        return self.manifest.preprocessing or Preprocessing()

    @property
    def onnx_path(self) -> Path:
        """Where the exported network is."""
        return self.path / NETWORK

    @property
    def int8_path(self) -> Path:
        """Where the network in int8 is, once it has been exported."""
        return self.path / INT8_NETWORK

    @cached_property
    def weights(self) -> dict[str, npt.NDArray[Any]]:
        """The tensors of `weights.safetensors`, by name."""
        return _read_tensors(self.path / WEIGHTS)

    @cached_property
    def novelty(self) -> dict[str, npt.NDArray[Any]]:
        """The tensors of `novelty.safetensors`, by name."""
        return _read_tensors(self.path / NOVELTY)

    @cached_property
    def prior(self) -> npt.NDArray[np.float64]:
        """The share of training images that hold each category, shape (categories,)."""
        n_train = self.manifest.split.parts["train"].n_images
        counts = np.array([entry.n_images for entry in self.manifest.categories])
        return counts / max(n_train, 1)

    def to_probabilities(self, outputs: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
        """Return probabilities in [0, 1] from the network's outputs, same shape."""
        if self.manifest.activation == "clip":
            return np.clip(outputs, 0.0, 1.0)
        # tanh does not overflow where exp(-x) would.
        half = np.float32(0.5)
        probabilities: npt.NDArray[np.float32] = half * (np.float32(1) + np.tanh(half * outputs))
        return probabilities


def _read_tensors(path: Path) -> dict[str, npt.NDArray[Any]]:
    try:
        return dict(load_file(path))
    except (OSError, SafetensorError) as error:
        raise BundleError(f"{path} cannot be read: {error}. Train or copy it again.") from None


def load_bundle(path: Path | str) -> Bundle:
    """Read a bundle; `path` is its folder, or the run folder that holds it.

    Raises:
        BundleError: If there is none, a file is missing or damaged, or it has another schema
            version.
    """
    path = Path(path)
    folder = path / "bundle" if (path / "bundle" / MANIFEST).is_file() else path
    if not (folder / MANIFEST).is_file():
        raise BundleError(
            f"{path} holds no bundle: {MANIFEST} is missing. Name a bundle folder, or a run "
            "folder whose training has ended."
        )
    manifest = _read_manifest(folder / MANIFEST)
    needed = [WEIGHTS, NOVELTY, *([NETWORK] if manifest.runner == "network" else [])]
    missing = [name for name in needed if not (folder / name).is_file()]
    if missing:
        raise BundleError(
            f"The bundle {folder} lacks {', '.join(missing)}. Train or copy it again."
        )
    return Bundle(folder, manifest)


def _read_manifest(path: Path) -> BundleManifest:
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except (json.JSONDecodeError, UnicodeDecodeError) as error:
        raise BundleError(f"{path} is not JSON: {error}.") from None
    version = content.get("schema_version") if isinstance(content, dict) else None
    if version != SCHEMA_VERSION:
        raise BundleError(
            f"The bundle {path.parent} has schema version {version}; this program reads "
            f"{SCHEMA_VERSION}. Use the version of finding-nemo that wrote it, or train again."
        )
    try:
        return BundleManifest.build(content, source=str(path))
    except SettingsError as error:
        raise BundleError(str(error)) from None


def write_bundle(
    folder: Path,
    manifest: BundleManifest,
    *,
    weights: Tensors,
    novelty: Tensors,
    network: bytes | None = None,
) -> Bundle:
    """Write a bundle, whole or not at all, and return it.

    Args:
        folder: Where; an earlier bundle there is replaced.
        manifest: What `bundle.json` says.
        weights: The tensors of `weights.safetensors`.
        novelty: The tensors of `novelty.safetensors`.
        network: The bytes of `model.onnx`, where the runner is a network.

    Raises:
        NoSpaceError: If the disk is full.
    """
    partial = folder.with_name(f".{folder.name}.partial")
    with telling_full_disk(folder):
        shutil.rmtree(partial, ignore_errors=True)
        partial.mkdir(parents=True)
        text = manifest.model_dump_json(indent=2)
        (partial / MANIFEST).write_text(text + "\n", encoding="utf-8")
        (partial / MODEL_CARD).write_text(model_card(manifest), encoding="utf-8")
        save_file(_contiguous(weights), partial / WEIGHTS)
        save_file(_contiguous(novelty), partial / NOVELTY)
        if network is not None:
            (partial / NETWORK).write_bytes(network)
        shutil.rmtree(folder, ignore_errors=True)
        partial.rename(folder)
    return Bundle(folder, manifest)


def _contiguous(tensors: Tensors) -> dict[str, npt.NDArray[Any]]:
    return {name: np.ascontiguousarray(tensor) for name, tensor in tensors.items()}


def bundle_hash(path: Path) -> str:
    """Return one SHA-256 for all that a bundle predicts with.

    It covers the tensors, the network and the manifest except `provenance` (which holds the
    time); the model card repeats the manifest and is left out. Two trainings with the same
    settings, data and seed on one machine have the same hash.
    """
    content = json.loads((path / MANIFEST).read_text(encoding="utf-8"))
    content.pop("provenance", None)
    digest = hashlib.sha256(json.dumps(content, sort_keys=True).encode())
    for name in (WEIGHTS, NOVELTY, NETWORK, INT8_NETWORK):
        if (path / name).is_file():
            digest.update(f"{name}:{hash_file(path / name)}".encode())
    return digest.hexdigest()
