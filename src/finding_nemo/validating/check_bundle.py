"""A bundle's folder: every file by its hash, every number, every shape."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

import numpy as np

from finding_nemo.core.errors import BundleError
from finding_nemo.core.names.inference_names import FLOAT32, INT8
from finding_nemo.models.bundle.adaptation_numbers import adaptation_numbers
from finding_nemo.models.bundle.bundle import Bundle, read_manifest
from finding_nemo.models.bundle.bundle_files import (
    ADAPTATION,
    EXPORTS,
    HASHED,
    INT8_NETWORK,
    MANIFEST,
    NETWORK,
    NOVELTY,
    WEIGHTS,
    check_files,
    needed_files,
)
from finding_nemo.models.bundle.export_records import read_export_records
from finding_nemo.models.bundle.manifest import BundleManifest
from finding_nemo.models.bundle.uncertainty_check import check_uncertainty_tensors
from finding_nemo.models.inference.open_bundle_network import checked_network
from finding_nemo.validating.fault_list import FaultList

_ALL_FAULTS = 1000
_A_FAULT = "  - "


def check_bundle(path: Path, faults: FaultList) -> None:
    """Check a bundle: its folder, the run folder that holds it, or its `bundle.json`."""
    folder = path.parent if path.name == MANIFEST else path
    folder = folder / "bundle" if (folder / "bundle" / MANIFEST).is_file() else folder
    if not (folder / MANIFEST).is_file():
        words = "is missing, so this is no bundle. Name the folder of a bundle, or of a run."
        faults.add(MANIFEST, "", words)
        return
    try:
        manifest = read_manifest(folder, most_faults=_ALL_FAULTS)
    except BundleError as error:
        for line in _lines_of(str(error)):
            faults.add(MANIFEST, *line)
        return
    for key, words in _faults_of_numbers(manifest):
        faults.add(MANIFEST, key, words)
    sound = _check_the_files(folder, manifest, faults)
    _check_contents(Bundle(folder, manifest), sound, faults)


def _lines_of(message: str) -> Iterator[tuple[str, str]]:
    """Yield key and words of each fault of a manifest's message."""
    lines = message.split("\n")
    found = [line.removeprefix(_A_FAULT) for line in lines if line.startswith(_A_FAULT)]
    if not found:
        yield "", message
    for line in found:
        key, equals, _ = line.partition(" = ")
        yield key if equals and " " not in key else "", line


def _faults_of_numbers(manifest: BundleManifest) -> Iterator[tuple[str, str]]:
    """Yield numbers that are of the right type and still can be none."""
    for place, entry in enumerate(manifest.categories):
        ap = entry.validation_ap
        if ap is not None and not 0 <= ap <= 1:
            key = f"categories.{place}.validation_ap"
            yield key, f"must be 0 to 1, got {ap:g} ({entry.name!r})."
    summary = manifest.validation
    if summary is None:
        return
    low, high = summary.map_at_20_ci
    scores: Mapping[str, float | None] = {
        "map_at_20": summary.map_at_20,
        "prior_map_at_20": summary.prior_map_at_20,
        "map_at_20_calibrated": summary.map_at_20_calibrated,
        "map_at_20_shown": summary.map_at_20_shown,
        "train_map_at_20": summary.train_map_at_20,
    }
    for name, value in scores.items():
        if value is not None and not 0 <= value <= 1:
            yield f"validation.{name}", f"must be 0 to 1, got {value:g}."
    if not low <= high:
        words = f"must go from the lower to the higher, got {low:g} to {high:g}."
        yield "validation.map_at_20_ci", words
    for name, count in (("n_images", summary.n_images), ("n_dives", summary.n_dives)):
        if count < 0:
            yield f"validation.{name}", f"must be 0 or more, got {count}."


def _check_the_files(folder: Path, manifest: BundleManifest, faults: FaultList) -> set[str]:
    """Check that files are there and what they were; return the names of those that are."""
    sound = {name for name in HASHED if (folder / name).is_file()}
    for name in needed_files(manifest.runner):
        if not (folder / name).is_file():
            faults.add(name, "", "is missing. Train or copy the bundle again.")
        elif manifest.files and name not in manifest.files:
            faults.add(name, "", f"{MANIFEST} has no hash of it, although it has of others.")

    def take(error: BundleError, name: str) -> None:
        sound.discard(name)
        if name in needed_files(manifest.runner) and not (folder / name).exists():
            return  # told above
        faults.add(name or MANIFEST, "", str(error))

    check_files(folder, manifest.files, on_fault=take)
    return sound


def _check_contents(bundle: Bundle, sound: set[str], faults: FaultList) -> None:
    if WEIGHTS in sound:
        _try(lambda: _check_weights(bundle, faults), WEIGHTS, faults)
    if NOVELTY in sound:
        _try(lambda: _check_novelty(bundle, faults), NOVELTY, faults)
    if bundle.manifest.runner == "network":
        if NETWORK in sound:
            _try(lambda: checked_network(bundle, FLOAT32), NETWORK, faults)
        if INT8_NETWORK in sound and bundle.holds_int8:
            _try(lambda: checked_network(bundle, INT8), INT8_NETWORK, faults)
    if EXPORTS in sound:
        _try(lambda: read_export_records(bundle.path), EXPORTS, faults)
    if ADAPTATION in sound:
        _try(lambda: adaptation_numbers(bundle), ADAPTATION, faults)


def _try(read: Callable[[], object], name: str, faults: FaultList) -> None:
    try:
        read()
    except BundleError as error:
        faults.add(name, "", str(error))


def _check_weights(bundle: Bundle, faults: FaultList) -> None:
    for key, tensor in sorted(bundle.weights.items()):
        if tensor.dtype.kind == "f" and not np.isfinite(tensor).all():
            faults.add(WEIGHTS, key, f"the tensor {key!r} holds numbers that are not finite.")


def _check_novelty(bundle: Bundle, faults: FaultList) -> None:
    check_uncertainty_tensors(
        bundle.novelty,
        n_categories=len(bundle.categories),
        on_fault=lambda error: faults.add(NOVELTY, "", f"{error}."),
    )
